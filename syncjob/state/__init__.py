"""What we remember: the only importer of SQLite."""

"""Reports put into words and tables for a terminal; nothing here decides anything."""

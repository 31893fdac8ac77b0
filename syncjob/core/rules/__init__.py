"""The rules of business, one question a module: records in, an answer or `Held` out, all pure."""

"""The business rules: records in, records out; no clock, no I/O, no randomness."""

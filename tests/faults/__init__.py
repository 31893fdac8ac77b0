"""The fault harness as one command: its lanes, their table, and what `make faults` prints."""

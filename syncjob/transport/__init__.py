"""The one door where bytes leave: timeouts, retries of reads only, modes, limits, tokens."""

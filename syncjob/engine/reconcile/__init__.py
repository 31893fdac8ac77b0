"""Both sides read in full and compared with each other and with the state (`syncjob reconcile`)."""

"""Owner notices, digests, summaries and the operator's alarms: in which words people are told."""

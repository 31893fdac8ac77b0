"""What a batch costs: calls, CPU, memory and start-up, as ratios from one run on one machine."""

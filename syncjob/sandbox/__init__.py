"""Local servers that speak the vendors' wire protocols, for rehearsals, tests and the demo."""

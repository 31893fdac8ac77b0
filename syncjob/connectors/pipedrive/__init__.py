"""Pipedrive: API v2 through a subclass of pipedrive-python-lib, v1 only where v2 has nothing."""

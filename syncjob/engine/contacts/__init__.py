"""Contacts both ways in a batch: who is to be decided, with what, and what the answers mean."""

"""Contacts both ways: what their fields are, how three versions merge, what one customer needs."""

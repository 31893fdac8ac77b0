"""A year of people, money and days, and what an owner should have been told of it."""

"""A newcomer's way to a first config: questions as data, tried against both accounts."""

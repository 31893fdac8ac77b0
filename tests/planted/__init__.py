"""Planted bugs: named patches to the shipped source, each of which the harness must find."""

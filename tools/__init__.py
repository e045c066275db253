"""Generators and repository checks. Run from the root: `python -m tools.check`."""

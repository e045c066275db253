"""Saved searches: a query with a name, and how its answer is shown."""

"""Saved searches: a query of devices with a name, and how its answer is shown.

Owns: `saved_searches`. Promises: what is saved can be asked; a search is its maker's, seen by others only when it is
shared. Does not do: run a query (`devices`).
"""

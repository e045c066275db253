"""Twins of software that we do not own, exact in what they send, expect and get wrong."""

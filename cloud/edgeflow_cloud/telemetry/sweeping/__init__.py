"""Retention by plan: what an organization's plan keeps for less time than the tables do is deleted by organization."""

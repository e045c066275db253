"""The people of cloud/tests/auth, for API keys."""

from cloud.tests.auth.conftest import clock, house, sql

__all__ = ["clock", "house", "sql"]

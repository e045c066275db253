"""The people of cloud/tests/auth, for quotas."""

from cloud.tests.auth.conftest import clock, house, sql

__all__ = ["clock", "house", "sql"]

"""The people of cloud/tests/auth, for organizations."""

from cloud.tests.auth.conftest import clock, house, sql

__all__ = ["clock", "house", "sql"]

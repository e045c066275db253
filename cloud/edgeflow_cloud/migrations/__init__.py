"""Alembic revisions with hand-written SQL: `versions/NNNN_name.sql` is the change, `NNNN_name.py` its place in line."""

"""Walls around code that a flow brings: `confine.py` puts them up inside the process, `runner.py` runs Python there,
`bridge` is our side."""

"""The query language of devices: one grammar, one error with a caret, compiled to SQL with bound parameters."""

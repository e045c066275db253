"""Which devices are meant: filters, queries and targets as SQL over the registry."""

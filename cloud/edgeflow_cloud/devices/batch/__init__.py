"""Many devices entered or changed in one transaction, a statement for all of them."""

"""The quick set of drills: small numbers, every drill and every mutant."""

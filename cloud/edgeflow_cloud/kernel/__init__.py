"""Words every subsystem shares: ids, time, errors, who is asking, facts announced, pages of a list.

Owns: pure types. Promises: no I/O and no import of anything above. Does not do: anything with a side effect.
"""

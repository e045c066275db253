"""Edge nodes: the published shortcuts to one device, each a command whose answer is made readable.

Owns: nothing; what was asked and what came back, unchanged, is a command. Promises: what a device answers wrongly (a
field client's uptime is text, its flows are always idle) is told as what it is, never passed on as if it were true; an
answer that cannot be read is said to be so, with the command that holds it. Does not do: streams (editor, terminal).
"""

"""The whole: settings, the list of subsystems, roles, the live socket, the command line.

The only place that knows everything; nothing below may import it.
"""

"""Free loopback ports.

Taken from 20000 to 32767: above the well-known ones, below the range the kernel hands to outgoing connections
(32768 and up), and low enough that a program which adds 10000 to a port (SeaweedFS does) stays legal.
"""

import random
import socket

_FIRST, _LAST = 20_000, 32_767


def free_ports(count: int, *, below: int = _LAST + 1) -> list[int]:
    """`count` different ports under `below` on 127.0.0.1 that nobody listens on at this moment.

    Another process may take one before it is used; whoever starts a server on them tries again then.
    """
    found: list[int] = []
    for port in random.sample(range(_FIRST, below), min(4096, below - _FIRST)):
        if is_free(port):
            found.append(port)
            if len(found) == count:
                return found
    raise OSError(f"no {count} free ports from {_FIRST} to {below - 1} on 127.0.0.1")


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether `host:port` can be bound now."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True

"""The line to the cloud: one WebSocket tunnel that comes back by itself, and REST calls on the same
address.
"""

from .backoff import Backoff, Pace
from .handshake import Target
from .rest import Answer, CallFailed, CloudRest, NotThere, download
from .session import LinkDown, Session
from .tunnel import NotReady, Tunnel, TunnelStatus

__all__ = [
    "Answer",
    "Backoff",
    "CallFailed",
    "CloudRest",
    "LinkDown",
    "NotReady",
    "NotThere",
    "Pace",
    "Session",
    "Target",
    "Tunnel",
    "TunnelStatus",
    "download",
]

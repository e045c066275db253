"""WebSockets of devices, raw: text messages in and out, bounded, closed with a reason. Who they are is for `tunnel`."""

from edgeflow_cloud.infra.sockets.connection import (
    MAX_UNSENT_BYTES,
    MAX_UNSENT_MESSAGES,
    AddressOf,
    Connection,
    Receiver,
)
from edgeflow_cloud.infra.sockets.upgrade import listen, websocket_protocol

__all__ = [
    "MAX_UNSENT_BYTES",
    "MAX_UNSENT_MESSAGES",
    "AddressOf",
    "Connection",
    "Receiver",
    "listen",
    "websocket_protocol",
]

"""The local REST API: what a person or a program on the device (or with the token, near it) may see and
change.
"""

from .guard import Guard
from .http import HttpServer, Request, Response, Upgrade
from .live import LiveFeed
from .routes import LocalApi, Routes
from .websocket import serve_feed

__all__ = [
    "Guard",
    "HttpServer",
    "LiveFeed",
    "LocalApi",
    "Request",
    "Response",
    "Routes",
    "Upgrade",
    "serve_feed",
]

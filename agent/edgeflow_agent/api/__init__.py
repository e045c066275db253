"""The local REST API: what a person or a program on the device (or with the token, near it) may see and
change.
"""

from .guard import Guard
from .http import HttpServer, Request, Response
from .routes import LocalApi, Routes

__all__ = ["Guard", "HttpServer", "LocalApi", "Request", "Response", "Routes"]

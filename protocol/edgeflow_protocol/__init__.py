"""The words that an EdgeFlow device and its cloud exchange: frames, codec, limits, shadow algebra. No I/O.

`decode_from_device`, `decode_from_cloud` and `encode` are the codec; the modules `frames`, `shadow`,
`actions`, `bundle`, `closing`, `capabilities`, `clock`, `limits`, `reports` and `telemetry` hold the rest.
`protocol/vectors` has golden JSON of every frame.
"""

from . import actions, bundle, capabilities, clock, closing, frames, limits, reports, shadow, telemetry
from .codec import decode_from_cloud, decode_from_device, encode
from .errors import DocumentError, Fault, FrameError

__all__ = [
    "DocumentError",
    "Fault",
    "FrameError",
    "actions",
    "bundle",
    "capabilities",
    "clock",
    "closing",
    "decode_from_cloud",
    "decode_from_device",
    "encode",
    "frames",
    "limits",
    "reports",
    "shadow",
    "telemetry",
]

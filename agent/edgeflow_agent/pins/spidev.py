"""Transfers over the kernel's SPI devices (/dev/spidevB.D), by its own calls: no library for them comes as a wheel."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import struct
from pathlib import Path

from .board import BoardError

_WRITE_MODE = 0x40016B01
_WRITE_BITS = 0x40016B03
_WRITE_SPEED = 0x40046B04
_MESSAGE = 0x40206B00  # SPI_IOC_MESSAGE(1)
# tx_buf rx_buf len speed_hz delay_usecs bits_per_word cs_change tx_nbits rx_nbits word_delay_usecs pad
_TRANSFER = struct.Struct("=QQIIHBBBBBB")


def transfer(
    bus: int, device: int, data: bytes, speed: int, mode: int, devices: Path = Path("/dev")
) -> bytes:
    """Send the bytes; as many come back meanwhile. Blocks. Raises BoardError."""
    path = devices / f"spidev{bus}.{device}"
    outgoing = ctypes.create_string_buffer(data, len(data))
    incoming = ctypes.create_string_buffer(len(data))
    wanted = _TRANSFER.pack(
        ctypes.addressof(outgoing), ctypes.addressof(incoming), len(data), speed, 0, 8, 0, 0, 0, 0, 0
    )
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.ioctl(handle, _WRITE_MODE, struct.pack("=B", mode))
            fcntl.ioctl(handle, _WRITE_BITS, struct.pack("=B", 8))
            fcntl.ioctl(handle, _WRITE_SPEED, struct.pack("=I", speed))
            fcntl.ioctl(handle, _MESSAGE, wanted)
        finally:
            os.close(handle)
    except FileNotFoundError:
        raise BoardError(
            f"There is no SPI device {bus}.{device} ({path}). Turn SPI on, on a Raspberry Pi with dtparam=spi=on."
        ) from None
    except PermissionError:
        raise BoardError(
            f"The agent may not use {path}. Put its user into the group spi and start the agent again."
        ) from None
    except OSError as error:
        what = (
            "the message is longer than the driver takes (4096 bytes, unless spidev.bufsiz says otherwise)"
            if error.errno == errno.EMSGSIZE
            else error.strerror or str(error)
        )
        raise BoardError(f"The SPI device {bus}.{device} does not take this: {what}.") from error
    return incoming.raw

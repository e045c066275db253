"""Time-based one-time passwords (RFC 6238) and recovery codes: what they are, without any store."""

import hashlib
import hmac
import secrets
from datetime import datetime
from typing import Final

from pyotp import random_base32
from pyotp.totp import TOTP

from edgeflow_cloud.kernel.ids import ALPHABET

STEP: Final = 30
"""Seconds that a code lasts."""
_DRIFT: Final = 1  # codes of the step before and after count too: clocks differ, people type
_ISSUER: Final = "EdgeFlow"
_RECOVERY_CODES: Final = 10
_GROUPS, _GROUP = 4, 4  # 80 random bits: no slow hash is needed


def new_seed() -> str:
    """160 random bits in base32, as authenticators want them."""
    return random_base32(32)


def setup_uri(seed: str, email: str) -> str:
    """The `otpauth://` address that an authenticator reads from a QR code."""
    return TOTP(seed).provisioning_uri(name=email, issuer_name=_ISSUER)


def matching_step(seed: str, code: str, now: datetime) -> int | None:
    """The number of the 30 seconds whose code this is, near `now`; None when it is none of them."""
    digits = "".join(code.split())
    if len(digits) != 6 or not (digits.isascii() and digits.isdigit()):
        return None
    totp = TOTP(seed)
    present = int(now.timestamp()) // STEP
    found = None
    for step in range(present - _DRIFT, present + _DRIFT + 1):
        if hmac.compare_digest(totp.generate_otp(step), digits):
            found = step
    return found


def new_recovery_codes() -> list[str]:
    """Ten codes like `7k2m-q9xw-4c8t-h0ne`."""
    return [
        "-".join("".join(secrets.choice(ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))
        for _ in range(_RECOVERY_CODES)
    ]


def recovery_hash(code: str) -> bytes | None:
    """How a recovery code is stored and found; None for what cannot be one. What people misread is forgiven."""
    plain = code.lower().translate(str.maketrans({"-": None, " ": None, "o": "0", "i": "1", "l": "1"}))
    if len(plain) != _GROUP * _GROUPS or any(letter not in ALPHABET for letter in plain):
        return None
    return hashlib.sha256(b"edgeflow recovery code " + plain.encode()).digest()

"""What a person is here, and the rules for addresses and passwords."""

import re
import unicodedata
from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Final
from zoneinfo import available_timezones

from edgeflow_cloud.kernel.errors import FieldError, Invalid
from edgeflow_cloud.kernel.ids import UserId

PASSWORD_MINIMUM: Final = 10
PASSWORD_MAXIMUM: Final = 256
"""Characters. The maximum bounds the work of hashing; a long sentence fits."""

_EMAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*"
    r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)
_ZONE = re.compile(r"[A-Za-z]+(?:[/_+-][A-Za-z0-9]+){0,4}")
_AROUND_STEM: Final = re.compile(r"^[\x00-\x60\x7b-\x7f]+|[\x00-\x60\x7b-\x7f]+$")
_LEET: Final = str.maketrans("0134578@$!", "oieastbasi")
_STEM: Final = 4
_AROUND: Final = 8
"""A common word of at least four letters with up to eight digits and signs around it is as common."""


@dataclass(frozen=True, slots=True)
class User:
    """A person. `email` is as the person wrote it; it is compared without case. `version` is the profile's
    ETag.
    """

    id: UserId
    email: str
    first_name: str
    last_name: str
    email_verified: bool
    mfa_enabled: bool
    locale: str | None
    timezone: str | None
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a password is checked against."""

    user_id: UserId
    password_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUser:
    """A person about to be added; the password has passed `check_password` and is hashed."""

    id: UserId
    email: str
    first_name: str
    last_name: str
    password_hash: str
    email_verified: bool = False
    accepted_terms: bool = False
    wants_newsletter: bool = False


def clean_email(text: str) -> str:
    """The address without surrounding space. Raises Invalid (`invalid_email`) for what cannot be one.

    ASCII only, so that upper and lower case mean the same to us and to the database; an international
    domain is written in its `xn--` form.
    """
    email = text.strip()
    if len(email) > 254 or not _EMAIL.fullmatch(email):
        said = "This does not look like an e-mail address; write it like name@example.com."
        raise Invalid(said, code="invalid_email", fields=[FieldError("email", said)])
    return email


def clean_timezone(name: str) -> str:
    """A time zone of the IANA list. Raises ValueError with a sentence for anything else."""
    known = _timezones()
    # A machine without the zone files still takes what looks like a zone.
    if name not in known if known else not _ZONE.fullmatch(name):
        raise ValueError("Write a time zone of the IANA list, like Europe/Berlin or UTC")
    return name


@cache
def _timezones() -> frozenset[str]:
    """Read once: it walks a folder."""
    return frozenset(available_timezones())


def normal_password(password: str) -> str:
    """One spelling of a password, whichever keyboard composed its letters."""
    return unicodedata.normalize("NFKC", password)


def weakness(password: str, *, email: str, denied: Container[str]) -> str | None:
    """Why this password is not good enough, as a sentence, or None when it is.

    `denied` holds passwords that attackers try first, in lower case.
    """
    plain = normal_password(password)
    if len(plain) < PASSWORD_MINIMUM:
        return f"Use at least {PASSWORD_MINIMUM} characters; four words in a row are a good password."
    if len(plain) > PASSWORD_MAXIMUM:
        return f"Use at most {PASSWORD_MAXIMUM} characters."
    folded = plain.casefold()
    if len(set(folded)) <= 3 or is_common(folded, denied):
        return "This password is one of the first that attackers try. Choose another one."
    address = email.casefold()
    if folded in (address, address.partition("@")[0]) or folded.replace(" ", "") == address:
        return "The password must not be your e-mail address."
    return None


def is_common(folded: str, denied: Container[str]) -> bool:
    """Whether a password in lower case is a denied one: written twice, spelt with digits, or with some around it."""
    half = folded[: len(folded) // 2]
    if folded == half * 2:
        folded = half
    if folded in denied or folded.translate(_LEET) in denied:
        return True
    for spelt in (folded, folded.translate(_LEET)):
        stem = _AROUND_STEM.sub("", spelt)
        if len(stem) >= _STEM and len(folded) - len(stem) <= _AROUND and stem in denied:
            return True
    bare = _AROUND_STEM.sub("", folded)
    return len(bare) >= _STEM and len(folded) - len(bare) <= _AROUND and bare.translate(_LEET) in denied

"""What a person is here, and the rules for addresses and passwords."""

import re
import unicodedata
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
_WORN_OUT: Final = frozenset(
    [
        "1234567890",
        "0123456789",
        "12345678910",
        "123456789a",
        "1234567891",
        "1q2w3e4r5t",
        "1qaz2wsx3edc",
        "0987654321",
        "9876543210",
        "abcdefghij",
        "abcd123456",
        "abc1234567",
        "adminadmin",
        "administrator",
        "admin12345",
        "admin123456",
        "changeme12",
        "changeme123",
        "football123",
        "iloveyou123",
        "iloveyou12",
        "letmein1234",
        "letmein123",
        "monkey12345",
        "mypassword",
        "password00",
        "password01",
        "password1!",
        "password12",
        "password123",
        "password1234",
        "password12345",
        "passw0rd12",
        "passw0rd123",
        "p@ssw0rd12",
        "p@ssw0rd123",
        "p@ssword123",
        "princess12",
        "q1w2e3r4t5",
        "qazwsxedcr",
        "qwerty1234",
        "qwerty12345",
        "qwerty123456",
        "qwertyuiop",
        "qwertyuiop1",
        "superman12",
        "sunshine12",
        "trustno1trustno1",
        "welcome123",
        "welcome1234",
        "edgeflow12",
        "edgeflow123",
        "edgeflow1234",
    ]
)


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


def weakness(password: str, *, email: str) -> str | None:
    """Why this password is not good enough, as a sentence, or None when it is."""
    plain = normal_password(password)
    if len(plain) < PASSWORD_MINIMUM:
        return f"Use at least {PASSWORD_MINIMUM} characters; four words in a row are a good password."
    if len(plain) > PASSWORD_MAXIMUM:
        return f"Use at most {PASSWORD_MAXIMUM} characters."
    folded = plain.casefold()
    if folded in _WORN_OUT or len(set(folded)) <= 3:
        return "This password is one of the first that attackers try. Choose another one."
    address = email.casefold()
    if folded in (address, address.partition("@")[0]) or folded.replace(" ", "") == address:
        return "The password must not be your e-mail address."
    return None

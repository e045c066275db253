"""Addresses and passwords."""

import pytest

from edgeflow_cloud.identity.model import clean_email, weakness
from edgeflow_cloud.identity.passwords import denied_passwords
from edgeflow_cloud.kernel.errors import Invalid


@pytest.mark.parametrize(
    "email", ["ada@example.com", "a.b+c@sub.example.co", "owner@localhost", "x@xn--mnchen-3ya.de"]
)
def test_addresses_are_taken(email: str) -> None:
    assert clean_email(f" {email} ") == email


@pytest.mark.parametrize(
    "email",
    ["", "ada", "@example.com", "ada@", "a b@example.com", "ada@exa mple.com", "ada@-a.com", "ada@a..com",
     "ada@example.com\n.evil", "ädä@example.com", "ada@example.com\0",
     "a" * 65 + "@example.com", "a@" + "b." * 130 + "c"],
)  # fmt: skip
def test_what_is_no_address_is_refused(email: str) -> None:
    with pytest.raises(Invalid) as refusal:
        clean_email(email)
    assert refusal.value.code == "invalid_email"


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "password123",
        "QWERTY12345",
        "abababababab",
        "ada@example.com",
        "ADA@EXAMPLE.COM",
        "x" * 257,
        "ａｄｍｉｎ１２３４５",
        "Football2024!!",
        "P@ssw0rd2024!",
        "trustno1trustno1",
        "1q2w3e4r5t",
        "sunshine!!!!!!!!",
        "edgeflow1234",
    ],
)
def test_weak_passwords_are_named(password: str) -> None:
    said = weakness(password, email="ada@example.com", denied=denied_passwords())
    assert str(said).endswith(".")


@pytest.mark.parametrize(
    "password",
    [
        "SecurePass123",
        "correct horse battery",
        "пароль-на-русском",
        "🐎" * 4 + "battery",
        "my password is long enough",
        "zebra-lamp-sofa",
    ],
)
def test_good_passwords_pass(password: str) -> None:
    assert weakness(password, email="ada@example.com", denied=denied_passwords()) is None

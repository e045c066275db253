"""HTTP bodies of proofs: links of mails, the second factor, how strong a password is."""

from typing import Annotated

from pydantic import Field, StringConstraints

from edgeflow_cloud.auth.schemas import Email, Password, WithPassword
from edgeflow_cloud.infra.http import Body, Document

LinkToken = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Code = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=6, max_length=32), Field(examples=["123456"])
]


class LinkBody(Body):
    """The token of a link in a mail: what stands behind `#token=`."""

    token: LinkToken


class ForgotPasswordBody(Body):
    """Whose password is forgotten."""

    email: Email


class ResetPasswordBody(WithPassword):
    """The token of a link in a mail, and the password as it shall be."""

    token: LinkToken
    new_password: Password


class PasswordStrengthBody(WithPassword):
    """A password that somebody thinks of; `email` and `words` (name, organization) are easy to guess in it."""

    password: Password
    email: Annotated[str, StringConstraints(max_length=254)] = ""
    words: Annotated[list[Annotated[str, StringConstraints(max_length=120)]], Field(max_length=10)] = Field(
        default=[]
    )


class MfaPasswordBody(WithPassword):
    """The password once more."""

    password: Password


class MfaCodeBody(Body):
    """What the authenticator shows."""

    code: Code


class MfaProofBody(WithPassword):
    """The password once more, and a code of the authenticator or a recovery code."""

    password: Password
    code: Code


class MessageDocument(Document):
    """A sentence for the person."""

    message: str


class VerifiedDocument(MessageDocument):
    """The address that is verified now."""

    email: str


class SessionsEndedDocument(Document):
    """How many sessions were ended."""

    ended_sessions: int


class PasswordResetDocument(MessageDocument, SessionsEndedDocument):
    """The password is replaced; log in with it."""


class MfaSetupDocument(Document):
    """For an authenticator: draw `otpauth_uri` as a QR code, or type `secret`. It counts once it is confirmed."""

    secret: str
    otpauth_uri: str


class RecoveryCodesDocument(Document):
    """Each opens the account once, instead of a code. They are shown this once."""

    recovery_codes: list[str]


class PasswordStrengthDocument(Document):
    """`score` is 0 (guessed at once) to 4 (not in years). `refusal` says why it is not taken, null when it is."""

    score: int
    refusal: str | None
    warning: str | None
    suggestions: list[str]

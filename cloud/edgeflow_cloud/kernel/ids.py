"""Ids: UUIDv7 at rest, `<prefix>_<26 base32 characters>` on the wire.

The base32 alphabet is Crockford's in lower case, so ids sort as text in the order in which they were made and
survive being read aloud. Each kind of id is a type of its own; the pydantic fields at the end parse and print them.
"""

from dataclasses import dataclass
from typing import Annotated, NewType
from uuid import UUID

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema
from uuid_utils.compat import uuid7

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_VALUES = {letter: value for value, letter in enumerate(ALPHABET)}
_LENGTH = 26
_PAIRS = [first + second for first in ALPHABET for second in ALPHABET]
_FORTY = (1 << 40) - 1

TenantId = NewType("TenantId", UUID)
UserId = NewType("UserId", UUID)
SessionId = NewType("SessionId", UUID)
DeviceId = NewType("DeviceId", UUID)
ProvisioningCodeId = NewType("ProvisioningCodeId", UUID)
BatchId = NewType("BatchId", UUID)
DeviceKeyId = NewType("DeviceKeyId", UUID)
CommandId = NewType("CommandId", UUID)
ApiKeyId = NewType("ApiKeyId", UUID)
InvitationId = NewType("InvitationId", UUID)
ProjectId = NewType("ProjectId", UUID)
ExportId = NewType("ExportId", UUID)
GroupId = NewType("GroupId", UUID)
SavedSearchId = NewType("SavedSearchId", UUID)
AuditId = NewType("AuditId", UUID)
EventId = NewType("EventId", UUID)

ORGANIZATION, USER, SESSION = "org", "usr", "ses"
DEVICE, PROVISIONING_CODE, COMMAND = "dev", "prov", "cmd"
BATCH, DEVICE_KEY = "batch", "dkey"
API_KEY, INVITATION, PROJECT, EXPORT = "key", "inv", "prj", "exp"
GROUP, SAVED_SEARCH = "grp", "srch"
AUDIT, EVENT = "audit", "evt"


class MalformedId(ValueError):
    """The text is not an id of the wanted kind."""


def new() -> UUID:
    """Make a UUIDv7: unique, and later ones sort after earlier ones."""
    return uuid7()


def encode(prefix: str, value: UUID) -> str:
    """`encode("dev", uuid)` -> `dev_01j…`, 26 characters after the underscore. Two at a time: lists print many."""
    number, two = value.int, _PAIRS
    a, b, c = number >> 80, number >> 40 & _FORTY, number & _FORTY
    return (
        f"{prefix}_{two[a >> 40]}{two[a >> 30 & 1023]}{two[a >> 20 & 1023]}{two[a >> 10 & 1023]}{two[a & 1023]}"
        f"{two[b >> 30]}{two[b >> 20 & 1023]}{two[b >> 10 & 1023]}{two[b & 1023]}"
        f"{two[c >> 30]}{two[c >> 20 & 1023]}{two[c >> 10 & 1023]}{two[c & 1023]}"
    )


def decode(prefix: str, text: str) -> UUID:
    """The reverse of `encode`. Raises MalformedId for another prefix, length or letter."""
    head, separator, body = text.rpartition("_")
    if not separator or head != prefix or len(body) != _LENGTH:
        raise MalformedId(f"{text[:60]!r} is not an id of the form {prefix}_…")
    number = 0
    for letter in body:
        value = _VALUES.get(letter)
        if value is None:
            raise MalformedId(f"{text[:60]!r} is not an id of the form {prefix}_…")
        number = number << 5 | value
    if number >> 128:
        raise MalformedId(f"{text[:60]!r} is not an id of the form {prefix}_…")
    return UUID(int=number)


@dataclass(frozen=True)
class WireId:
    """Pydantic annotation: accepts `<prefix>_…` text (or a UUID made by us), prints `<prefix>_…`."""

    prefix: str

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        def parse(value: object) -> UUID:
            if isinstance(value, UUID):
                return value
            if not isinstance(value, str):
                raise PydanticCustomError(
                    "id", "An id is text of the form {form}", {"form": f"{self.prefix}_…"}
                )
            try:
                return decode(self.prefix, value)
            except MalformedId:
                raise PydanticCustomError(
                    "id", "This is not an id of the form {form}", {"form": f"{self.prefix}_…"}
                ) from None

        def render(value: UUID) -> str:
            return encode(self.prefix, value)

        return core_schema.no_info_plain_validator_function(
            parse, serialization=core_schema.plain_serializer_function_ser_schema(render)
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {
            "type": "string",
            "pattern": f"^{self.prefix}_[{ALPHABET}]{{26}}$",
            "examples": [f"{self.prefix}_01jd8x7k5qe2t9zv3m4n6p8r0s"],
        }


TenantIdField = Annotated[TenantId, WireId(ORGANIZATION)]
UserIdField = Annotated[UserId, WireId(USER)]
SessionIdField = Annotated[SessionId, WireId(SESSION)]
DeviceIdField = Annotated[DeviceId, WireId(DEVICE)]
ProvisioningCodeIdField = Annotated[ProvisioningCodeId, WireId(PROVISIONING_CODE)]
BatchIdField = Annotated[BatchId, WireId(BATCH)]
DeviceKeyIdField = Annotated[DeviceKeyId, WireId(DEVICE_KEY)]
CommandIdField = Annotated[CommandId, WireId(COMMAND)]
ApiKeyIdField = Annotated[ApiKeyId, WireId(API_KEY)]
InvitationIdField = Annotated[InvitationId, WireId(INVITATION)]
ProjectIdField = Annotated[ProjectId, WireId(PROJECT)]
GroupIdField = Annotated[GroupId, WireId(GROUP)]
SavedSearchIdField = Annotated[SavedSearchId, WireId(SAVED_SEARCH)]
ExportIdField = Annotated[ExportId, WireId(EXPORT)]
AuditIdField = Annotated[AuditId, WireId(AUDIT)]

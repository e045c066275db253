"""HTTP bodies of API keys."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from edgeflow_cloud.api_keys.model import SCOPES
from edgeflow_cloud.infra.http import Body, Document
from edgeflow_cloud.kernel.ids import ApiKeyIdField, ProjectIdField

_YEARS_10 = 10 * 366 * 86_400


class CreateApiKey(Body):
    """A key for a program."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=120)] = Field(
        description="Which program uses it.", examples=["Nightly report"]
    )
    scopes: Annotated[
        list[Annotated[str, StringConstraints(max_length=64)]], Field(min_length=1, max_length=50)
    ] = Field(
        description="What it may do, `{subsystem}:{read|manage}`: " + ", ".join(SCOPES) + ".",
        examples=[["devices:read"]],
    )
    networks: Annotated[
        list[Annotated[str, StringConstraints(min_length=2, max_length=50)]], Field(max_length=50)
    ] = Field(
        default_factory=list[str],
        description="Addresses or ranges (CIDR) from which it may be used; none: from everywhere.",
        examples=[["203.0.113.0/24"]],
    )
    projects: Annotated[list[ProjectIdField], Field(max_length=50)] = Field(
        default_factory=list[ProjectIdField],
        description="Projects that it is limited to: what lies elsewhere is missing to it; none: no limit.",
    )
    expires_in: Annotated[int, Field(ge=60, le=_YEARS_10)] | None = Field(
        None, description="Seconds until it ends by itself; null: never.", examples=[7_776_000]
    )


class ApiKeyDocument(Document):
    """A key, without its secret."""

    id: ApiKeyIdField
    name: str
    prefix: str = Field(description="How the key begins, to tell keys apart.")
    scopes: list[str]
    networks: list[str] = Field(description="From where it may be used; none: from everywhere.")
    projects: list[ProjectIdField] | None = Field(description="What it is limited to; null: no limit.")
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None = Field(description="To within a minute; null when it was never used.")


class CreatedApiKey(ApiKeyDocument):
    """A new key."""

    key: str = Field(description="Shown this once. Send it as `X-API-Key`.")

"""HTTP bodies of a shadow's history."""

from datetime import datetime

from pydantic import Field

from edgeflow_cloud.infra.http import Body, Document
from edgeflow_cloud.shadows.history.model import Changed
from edgeflow_cloud.shadows.model import Side


class Author(Document):
    """Who made a change: a person, a program, the device itself or the platform."""

    kind: str = Field(description="`user`, `api_key`, `device` or `system`.")
    id: str
    name: str | None = Field(None, description="What they are called, while they are here.")


class ShadowVersion(Document):
    """One accepted update."""

    version: int
    changed: Changed = Field(description="The half that it changed; `deleted`: both were emptied.")
    at: datetime
    by: Author
    patch: dict[str, object] = Field(description="What was said, as it was accepted; null deletes a key.")
    truncated: bool = Field(
        description="The patch was too long for a list: look at the versions' difference."
    )


class ShadowDifference(Document):
    """One leaf that differs; null where it is not there."""

    path: str = Field(description="Dotted; dots inside a key have a backslash before them.")
    section: Side
    before: object
    after: object


class ShadowDiff(Document):
    """What differs between two versions."""

    from_: int = Field(alias="from", serialization_alias="from")
    to: int
    changes: list[ShadowDifference]


class RestoreShadow(Body):
    """Which version's desired state shall be wanted again."""

    version: int = Field(ge=0, le=2**53)

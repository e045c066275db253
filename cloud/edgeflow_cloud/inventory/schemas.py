"""HTTP bodies of the inventory."""

from pydantic import Field

from edgeflow_cloud.infra.http import Document
from edgeflow_cloud.inventory.model import Outcome
from edgeflow_cloud.kernel.ids import DeviceIdField


class ImportedLine(Document):
    """What came of one line of the file."""

    line: int = Field(
        description="As an editor counts, from 1; of a line that goes on in quotes, the first one."
    )
    outcome: Outcome
    device_id: DeviceIdField | None = Field(
        None,
        exclude_if=lambda value: value is None,
        description="Absent for a device that is not made (yet).",
    )
    name: str
    changed: list[str] = Field(description="The columns that are others now.")
    errors: list[str] = Field(description="Why it was refused, a sentence each; empty where it was not.")
    api_key: str | None = Field(
        None,
        exclude_if=lambda value: value is None,
        description="Of a device that was made. Shown this once: the device is configured with it.",
    )


class ImportReport(Document):
    """What came of a file. Lines that failed changed nothing; all others went through together."""

    dry_run: bool
    created: int
    updated: int
    unchanged: int
    failed: int
    rows: list[ImportedLine]

"""The registry's own fields of the query language."""

from edgeflow_cloud.devices.matching.queries import IN_GROUP, IN_NO_GROUP, PRESENCE
from edgeflow_cloud.query_language import FieldType, QueryField

FIELDS = [
    QueryField(
        name="status",
        type=FieldType.STATUS,
        description="Whether its tunnel is open.",
        example="status = online",
        sql="p.online",
        join=PRESENCE,
        values=("online", "offline"),
    ),
    QueryField(
        name="name", type=FieldType.TEXT, description="Its name.", example='name ~ "press"', sql="d.name"
    ),
    QueryField(
        name="tag",
        type=FieldType.TAGS,
        description="A tag that is on it.",
        example='tag in ("line-3", "line-4")',
        sql="d.tags",
        absent="d.tags = '{}'",
    ),
    QueryField(
        name="group",
        type=FieldType.GROUP,
        description="A group that it is in, by name or id. `is null`: it is in no fixed group.",
        example="not group = lab",
        sql=IN_GROUP,
        absent=IN_NO_GROUP,
    ),
    QueryField(
        name="project",
        type=FieldType.PROJECT,
        description="Its project, by name or id.",
        example='project = "Line 9"',
        sql="d.project_id",
    ),
    QueryField(
        name="firmware",
        type=FieldType.VERSION,
        description="The firmware's version that it reports; compared as versions are.",
        example="firmware < 1.4.0",
        sql="d.firmware_version",
        order="d.firmware_order",
    ),
    QueryField(
        name="agent_version",
        type=FieldType.VERSION,
        description="The version of its agent.",
        example="agent_version >= 0.2",
        sql="d.agent_version",
        order="d.agent_order",
    ),
    QueryField(
        name="last_seen",
        type=FieldType.TIME,
        description="When it last gave a sign of life: an age (< 1h is within the last hour) or a time.",
        example="last_seen > 7d",
        sql="p.last_seen_at",
        join=PRESENCE,
    ),
    QueryField(
        name="connected",
        type=FieldType.TIME,
        description="When its newest connection began: an age or a time.",
        example="connected < 10m",
        sql="p.connected_at",
        join=PRESENCE,
    ),
    QueryField(
        name="created",
        type=FieldType.TIME,
        description="When it was entered: an age or a time.",
        example="created > 2026-01-01",
        sql="d.created_at",
    ),
    QueryField(
        name="updated",
        type=FieldType.TIME,
        description="When its entry last changed: an age or a time.",
        example="updated < 1d",
        sql="d.updated_at",
    ),
    QueryField(
        name="notes",
        type=FieldType.TEXT,
        description="What people wrote about it.",
        example='notes ~ "spare part"',
        sql="d.notes",
    ),
    QueryField(
        name="place",
        type=FieldType.TEXT,
        description="The name of the place where it stands.",
        example='place ~ "hall 2"',
        sql="d.place_name",
    ),
    QueryField(
        name="device",
        type=FieldType.DEVICE,
        description="Its id.",
        example="device in (dev_01jd8x7k5qe2t9zv3m4n6p8r0s)",
        sql="d.id",
    ),
    QueryField(
        name="hardware.*",
        type=FieldType.JSON,
        description="What it says of its hardware; dots go deeper.",
        example='hardware.model ~ "Pi 4"',
        sql="d.hardware",
    ),
    QueryField(
        name="network.*",
        type=FieldType.JSON,
        description="What it says of its network; dots go deeper.",
        example="network.hostname = press-7",
        sql="d.network",
    ),
]

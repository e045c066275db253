"""A device's shadow as fields of the query language: places in `shadows`."""

from edgeflow_cloud.query_language import FieldType, QueryField

_SHADOW = "left join shadows shadow on shadow.tenant_id = d.tenant_id and shadow.device_id = d.id"

FIELDS = [
    QueryField(
        name="shadow.reported.*",
        type=FieldType.JSON,
        description="What it says of its state; dots go deeper.",
        example='shadow.reported.gpio.mode != "auto"',
        sql="shadow.reported",
        join=_SHADOW,
    ),
    QueryField(
        name="shadow.desired.*",
        type=FieldType.JSON,
        description="What people want of it; dots go deeper.",
        example="shadow.desired.log_level = debug",
        sql="shadow.desired",
        join=_SHADOW,
    ),
    QueryField(
        name="shadow.version",
        type=FieldType.NUMBER,
        description="How often its shadow has changed.",
        example="shadow.version > 100",
        sql="shadow.version",
        join=_SHADOW,
    ),
]

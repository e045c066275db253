"""A device's queue as a field of the query language: a place in `commands`."""

from edgeflow_cloud.query_language import FieldType, QueryField

FIELDS = [
    QueryField(
        name="commands.waiting",
        type=FieldType.NUMBER,
        description="How many commands wait for it or for its answer.",
        example="commands.waiting > 0",
        sql="(select count(*) from commands waiting where waiting.tenant_id = d.tenant_id "
        "and waiting.device_id = d.id and waiting.status in ('queued', 'sent'))",
    ),
]

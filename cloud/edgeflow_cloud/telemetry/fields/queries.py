"""The newest values of a device as fields of the query language: places in `device_latest_metrics`."""

from edgeflow_cloud.query_language import FieldType, QueryField

_NEWEST = (
    "left join device_latest_metrics latest on latest.tenant_id = d.tenant_id and latest.device_id = d.id"
)


def _number(name: str, column: str, description: str, example: str) -> QueryField:
    return QueryField(
        name=name,
        type=FieldType.NUMBER,
        description=description,
        example=example,
        sql=f"latest.{column}",
        join=_NEWEST,
    )


FIELDS = [
    _number("cpu", "cpu_percent", "Newest CPU load, percent.", "cpu > 80"),
    _number("memory", "memory_percent", "Newest memory in use, percent.", "memory > 90"),
    _number(
        "temperature", "temperature_celsius", "Newest temperature, degrees Celsius.", "temperature >= 70"
    ),
    _number("disk", "disk_percent", "Newest use of the fullest disk, percent.", "disk > 95"),
    _number("load", "load_1", "Newest load average over a minute.", "load > 4"),
    _number("uptime", "uptime_seconds", "Newest uptime, seconds.", "uptime < 600"),
    QueryField(
        name="measured",
        type=FieldType.TIME,
        description="When the newest measurement was taken: an age or a time.",
        example="measured > 10m",
        sql="latest.time",
        join=_NEWEST,
    ),
    QueryField(
        name="metric.*",
        type=FieldType.JSON,
        description="Newest value of a custom metric, by its whole name.",
        example="metric.line.pressure > 2.5",
        sql="latest.custom",
        join=_NEWEST,
        flat=True,
    ),
]

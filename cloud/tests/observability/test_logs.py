"""A line carries its context and never a secret."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from edgeflow_cloud.infra.observability import bind, configure_logs, redact, render_metrics, unbind

SECRETS = {
    "device key": "efk_0123456789abcdefGHIJ",
    "api key": "edgeflow_live_0123456789abcdef",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1c3JfMSJ9.c2lnbmF0dXJlLXNpZw",
    "code": "PROV-7K2M-9QXD",
    "database": "postgresql://edgeflow:hunter2secret@db:5432/edgeflow",
    "bearer": "Bearer abcdefghijklmnop",
    "presigned": "/blobs/b/k?X-Amz-Signature=00ff00ff00ff&x=1",
    "json": '{"password": "hunter2secret", "email": "a@b.c"}',
}
PARTS = ("0123456789abcdef", "eyJzdWIi", "7K2M", "hunter2secret", "abcdefghijklmnop", "00ff00ff")


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    configure_logs(style="json", level="debug", stream=stream)
    yield stream
    structlog.reset_defaults()
    logging.getLogger().handlers.clear()


@pytest.mark.parametrize("name", list(SECRETS))
def test_secrets_are_cut_out_of_text(name: str) -> None:
    shown = str(redact(f"before {SECRETS[name]} after"))
    assert not any(part in shown for part in PARTS), shown
    assert shown.startswith("before ")
    assert "***" in shown


def test_secrets_are_found_by_name_and_at_any_depth() -> None:
    shown = json.dumps(
        redact(
            {
                "password": "p1",
                "new_password": "p2",
                "headers": [{"Authorization": "p3", "accept": "json"}],
                "device": {"api_key": "p4", "name": "press", "notes": SECRETS["device key"]},
                "token": None,
                "tokens_left": 4,
            }
        )
    )
    assert not any(f"p{number}" in shown for number in range(1, 5))
    assert "0123456789" not in shown
    assert '"tokens_left": 4' in shown
    assert '"name": "press"' in shown
    assert '"token": null' in shown


def test_a_line_has_context_and_no_secret_also_from_other_libraries(lines: io.StringIO) -> None:
    bind(request_id="req_1", tenant_id="org_1")
    structlog.get_logger("edgeflow.test").warning(
        "device.refused", key=SECRETS["device key"], api_key="x-y-z"
    )
    logging.getLogger("uvicorn.error").error("failed for %s", SECRETS["database"])
    try:
        raise ValueError(f"cannot use {SECRETS['jwt']}")
    except ValueError:
        structlog.get_logger().exception("request.failed")
    unbind("request_id", "tenant_id")
    text = lines.getvalue()
    assert not any(part in text for part in (*PARTS, "x-y-z")), text
    first, second, third = (json.loads(line) for line in text.splitlines())
    assert (first["event"], first["request_id"], first["level"]) == ("device.refused", "req_1", "warning")
    assert (first["logger"], second["logger"], second["tenant_id"]) == (
        "edgeflow.test",
        "uvicorn.error",
        "org_1",
    )
    assert "ValueError" in third["exception"]
    assert first["timestamp"].endswith("Z")


def test_below_the_level_nothing_is_written() -> None:
    stream = io.StringIO()
    configure_logs(style="readable", level="warning", stream=stream)
    structlog.get_logger().info("quiet")
    logging.getLogger("other").info("quiet")
    structlog.get_logger().warning("loud")
    assert "quiet" not in stream.getvalue()
    assert "loud" in stream.getvalue()
    structlog.reset_defaults()
    logging.getLogger().handlers.clear()


def test_the_process_is_measured() -> None:
    text = render_metrics().decode()
    assert "edgeflow_process_resident_memory_bytes" in text
    assert "python_info" in text

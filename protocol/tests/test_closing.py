"""Close codes and negotiation."""

from __future__ import annotations

from edgeflow_protocol.capabilities import negotiate
from edgeflow_protocol.closing import CloseCode


def test_every_code_has_a_reason_that_fits_a_close_frame() -> None:
    for code in CloseCode:
        assert code.meaning.endswith(".")
        assert len(code.meaning.encode()) <= 123


def test_negotiate() -> None:
    assert negotiate(["shadow", "later", "telemetry", "shadow"]) == ["shadow", "telemetry"]
    assert negotiate([]) == []

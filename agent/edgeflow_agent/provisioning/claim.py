"""One call: a code against credentials. It changes nothing here; keeping what came is the caller's."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from edgeflow_protocol import clock
from edgeflow_protocol.bundle import FlowKey

from ..link import Answer, CallFailed, CloudRest
from ..state import Credentials
from .facts import hardware_facts, network_facts

_PATH = "/api/v1/devices/provision"


class ClaimRefused(Exception):
    """The cloud will not take this code; asking again cannot help. `str(error)` is a sentence for people."""


class ClaimFailed(Exception):
    """No decision was reached; ask again later, not before `retry_after` seconds if given."""

    def __init__(self, sentence: str, retry_after: float | None = None) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class Claimed(msgspec.Struct, frozen=True):
    """What a code was worth: who the device is, and the keys that sign its flows."""

    credentials: Credentials
    flow_keys: list[FlowKey]


async def claim(rest: CloudRest, code: str) -> Claimed:
    """What the cloud gives for `code`. Raises ClaimRefused or ClaimFailed.

    Asking again with the same code is safe: the same hardware gets its own device back, with a fresh key.
    """
    body = {
        "provisioning_code": code,
        "hardware_info": hardware_facts() | {"agent": "edgeflow-agent"},
        "network_info": network_facts(rest.host, rest.port),
    }
    try:
        answer = await rest.call("POST", _PATH, body, timeout=30.0)
    except CallFailed as error:
        raise ClaimFailed(str(error)) from error
    if answer.status in (200, 201):
        return Claimed(_credentials(answer, rest), _flow_keys(answer))
    if answer.status in (408, 425, 429) or answer.status >= 500:
        raise ClaimFailed(f"{rest.authority} cannot provision right now: {answer.error}.", answer.retry_after)
    if answer.status in (400, 401, 403, 404, 409, 410, 422) and answer.object:
        raise ClaimRefused(
            f"The cloud refused the provisioning code: {_sentence(answer.error)} Make a new code in the "
            "console "
            "(Devices, Add device) and give it with: edgeflow-agent provision CODE."
        )
    raise ClaimFailed(
        f"What answers at {rest.authority} is not an EdgeFlow Cloud (HTTP {answer.status}). Check "
        "EDGEFLOW_SAAS_URL."
    )


def _credentials(answer: Answer, rest: CloudRest) -> Credentials:
    found = answer.object
    device_id, api_key, expires_at = found.get("device_id"), found.get("api_key"), found.get("expires_at")
    if not isinstance(device_id, str) or not isinstance(api_key, str) or not device_id or not api_key:
        raise ClaimFailed(f"{rest.authority} answered without device_id or api_key. Is it an EdgeFlow Cloud?")
    return Credentials(
        device_id=device_id,
        api_key=api_key,
        provisioned_at=clock.format_time(datetime.now(UTC)),
        expires_at=expires_at if isinstance(expires_at, str) else "",
    )


def _flow_keys(answer: Answer) -> list[FlowKey]:
    """A cloud that signs nothing sends none."""
    try:
        return msgspec.convert(answer.object.get("flow_keys") or [], list[FlowKey])
    except msgspec.ValidationError:
        return []


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else text + "."

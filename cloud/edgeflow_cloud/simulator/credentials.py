"""How simulated devices get their identities: over the cloud's REST, as real ones do, or from a file of an earlier run.

Nothing here touches a database. An owner's login makes provisioning codes, each device shows one; large fleets are
registered by the owner instead (`POST /devices`), because codes are limited to ten a second from one address.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import httpx2
import msgspec

_AT_ONCE = 16
_CODES = 200
"""Codes in one call, the API's most."""
BY_CODE_UP_TO = 500
"""Devices that are made by codes when nobody says how."""


class ProvisioningFailed(Exception):
    """No identity could be had; the text is a sentence for people."""


class Credentials(msgspec.Struct, frozen=True, omit_defaults=True):
    """One device's identity. `code` made it and may be shown again by the same hardware; `number` is that hardware."""

    device_id: str
    api_key: str
    code: str = ""
    number: int = 0


def hardware(number: int) -> dict[str, object]:
    """What device `number` says of itself; the same number is the same board."""
    return {
        "os": "linux",
        "arch": "arm64",
        "kernel": "6.6.0-simulated",
        "board_model": "Simulated board",
        "cpu_cores": 4,
        "ram_mb": 4096,
    }


def network(number: int) -> dict[str, object]:
    """The network facts of device `number`."""
    octets = [0x02, 0xEF, *(number >> shift & 0xFF for shift in (24, 16, 8, 0))]
    return {
        "hostname": f"simulated-{number:05d}",
        "ip_address": f"10.{number >> 16 & 0xFF}.{number >> 8 & 0xFF}.{number & 0xFF}",
        "mac_address": ":".join(f"{octet:02x}" for octet in octets),
        "connection_type": "ethernet",
    }


@asynccontextmanager
async def open_api(
    url: str, email: str, password: str, *, verify: bool = True
) -> AsyncGenerator[httpx2.AsyncClient]:
    """An HTTP client at `url` (http://host:port) that is logged in. Raises ProvisioningFailed."""
    limits = httpx2.Limits(max_connections=_AT_ONCE, max_keepalive_connections=_AT_ONCE)
    async with httpx2.AsyncClient(
        base_url=f"{url}/api/v1", timeout=30, trust_env=False, verify=verify, limits=limits
    ) as api:
        try:
            answer = await api.post("/auth/login", json={"email": email, "password": password})
        except httpx2.HTTPError as error:
            raise ProvisioningFailed(f"{url} does not answer: {error or type(error).__name__}.") from error
        token = _field(answer, "access_token") if answer.status_code == 200 else ""
        if not token:
            raise ProvisioningFailed(f"{url} refused the login of {email}: {_said(answer)}")
        api.headers["authorization"] = f"Bearer {token}"
        yield api


async def make_codes(api: httpx2.AsyncClient, count: int) -> list[str]:
    """Fresh provisioning codes. Raises ProvisioningFailed."""
    codes: list[str] = []
    while len(codes) < count:
        wanted = min(_CODES, count - len(codes))
        body = {"count": wanted, "tags": ["simulated"], "expires_in": 86_400}
        answer = await _call(api, "/provisioning-codes", body)
        if answer.status_code != 201:
            raise ProvisioningFailed(f"The cloud made no provisioning codes: {_said(answer)}")
        items = cast("list[dict[str, str]]", answer.json()["items"])
        codes += [item["code"] for item in items]
    return codes


async def claim(api: httpx2.AsyncClient, code: str, number: int) -> Credentials:
    """Show a code, as a device does. Raises ProvisioningFailed, httpx2.HTTPError."""
    body = {"provisioning_code": code, "hardware_info": hardware(number), "network_info": network(number)}
    answer = await _call(api, "/devices/provision", body, anonymous=True)
    device_id, api_key = _field(answer, "device_id"), _field(answer, "api_key")
    if answer.status_code not in (200, 201) or not device_id or not api_key:
        raise ProvisioningFailed(f"The cloud refused the provisioning code: {_said(answer)}")
    return Credentials(device_id, api_key, code, number)


async def register(api: httpx2.AsyncClient, number: int) -> Credentials:
    """Register a device as its owner. Raises ProvisioningFailed, httpx2.HTTPError."""
    answer = await _call(api, "/devices", {"name": f"simulated-{number:05d}", "tags": ["simulated"]})
    device_id, api_key = _field(answer, "device_id"), _field(answer, "api_key")
    if answer.status_code != 201 or not device_id or not api_key:
        raise ProvisioningFailed(f"The cloud registered no device: {_said(answer)}")
    return Credentials(device_id, api_key, "", number)


async def obtain(
    api: httpx2.AsyncClient,
    count: int,
    *,
    codes: Sequence[str] = (),
    progress: Callable[[int], None] | None = None,
) -> list[Credentials]:
    """Identities for `count` devices: by the codes given, else by fresh ones, else (many) registered by the owner.

    Raises ProvisioningFailed.
    """
    by_code = bool(codes) or count <= BY_CODE_UP_TO
    shown = list(codes) or (await make_codes(api, count) if by_code else [])
    first = int.from_bytes(os.urandom(3), "big")  # another run's boards are other boards
    found: list[Credentials | None] = [None] * (len(shown) if by_code else count)
    todo = iter(range(len(found)))
    done = 0

    async def work() -> None:
        nonlocal done
        for index in todo:
            number = first + index
            found[index] = await (claim(api, shown[index], number) if by_code else register(api, number))
            done += 1
            if progress is not None:
                progress(done)

    workers = [asyncio.create_task(work()) for _ in range(_AT_ONCE)]
    try:
        await asyncio.gather(*workers)
    except httpx2.HTTPError as error:
        raise ProvisioningFailed(f"The cloud stopped answering: {error or type(error).__name__}.") from error
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
    return [one for one in found if one is not None]


def load(path: Path) -> list[Credentials]:
    """Identities that an earlier run kept, one JSON object a line. Raises ProvisioningFailed."""
    try:
        lines = path.read_bytes().splitlines()
        return [msgspec.json.decode(line, type=Credentials) for line in lines if line.strip()]
    except (OSError, msgspec.MsgspecError) as error:
        raise ProvisioningFailed(f"The credentials in {path} cannot be read: {error}.") from error


def save(path: Path, found: Sequence[Credentials]) -> None:
    """Keep identities for a later run, readable by this user only. Raises ProvisioningFailed."""
    body = b"".join(msgspec.json.encode(one) + b"\n" for one in found)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(body)
    except OSError as error:
        raise ProvisioningFailed(f"The credentials cannot be kept in {path}: {error}.") from error


async def _call(
    api: httpx2.AsyncClient, path: str, body: Mapping[str, object], *, anonymous: bool = False
) -> httpx2.Response:
    """POST; waits as the cloud asks when it is too much at once, and tries again when it is away for a moment."""
    for attempt in range(120):
        request = api.build_request("POST", path, json=body)
        if anonymous:
            request.headers.pop("authorization", None)
        answer = await api.send(request)
        if answer.status_code not in (429, 503):
            return answer
        wait = answer.headers.get("Retry-After", "")
        await asyncio.sleep(min(30.0, float(wait) if wait.isdigit() else 1.0) + 0.01 * (attempt % 7))
    raise ProvisioningFailed(f"The cloud was too busy for too long: {path}.")


def _field(answer: httpx2.Response, name: str) -> str:
    try:
        body: object = answer.json()
    except ValueError:
        return ""
    value = cast("dict[str, object]", body).get(name) if isinstance(body, dict) else None
    return value if isinstance(value, str) else ""


def _said(answer: httpx2.Response) -> str:
    return _field(answer, "error") or f"HTTP {answer.status_code}."

"""What a provisioning code is, how it reads, and which hardware may show it again. Pure."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from edgeflow_cloud.kernel.errors import NotFound, Problem
from edgeflow_cloud.kernel.ids import BatchId, DeviceId, GroupId, ProjectId, ProvisioningCodeId, TenantId
from edgeflow_protocol.limits import strip_nul

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's: no I, L, O or U. What people type instead of 1 and 0 is read as what they meant."""

GROUP = 4
LIFE_DEFAULT = timedelta(hours=24)
LIFE_MAXIMUM = timedelta(days=90)
RECLAIM_WINDOW = timedelta(hours=24)
"""How long the same hardware may show its code again, counted from when the device first negotiated."""

RELEASE_LIFE = timedelta(days=365)
"""How long a device that left its organization waits for the next one."""

FACT_TEXT_LIMIT = 512
FACT_TREE_LIMIT = 2048
FACTS_LIMIT = 64
_NUMBER = re.compile(r"\{(n{1,4})\}")
_MEANT = str.maketrans({"I": "1", "L": "1", "O": "0", "-": None, " ": None, "_": None})


class CodeStatus(StrEnum):
    """What can be done with a code."""

    UNUSED = "unused"
    USED = "used"
    EXPIRED = "expired"


@dataclass(frozen=True, kw_only=True, slots=True)
class ProvisioningCode:
    """A code as people see it later: never the code itself, only its last four characters (`hint`).

    `name`, `tags`, `project_id` and `group_id` are given to the device. `hardware_key` is that of the hardware that
    used it. Codes that were made together have a `batch_id`.
    """

    tenant_id: TenantId
    id: ProvisioningCodeId
    hint: str
    name: str | None
    tags: tuple[str, ...]
    reclaim_window: timedelta
    created_at: datetime
    created_by: str
    expires_at: datetime
    used_at: datetime | None
    device_id: DeviceId | None
    hardware_key: str | None
    batch_id: BatchId | None = None
    project_id: ProjectId | None = None
    group_id: GroupId | None = None

    def status(self, now: datetime) -> CodeStatus:
        """A used code stays `used`; an unused one is `expired` from `expires_at` on."""
        if self.used_at is not None:
            return CodeStatus.USED
        return CodeStatus.EXPIRED if now >= self.expires_at else CodeStatus.UNUSED

    def may_reclaim(self, shown_key: str | None, negotiated_at: datetime | None, now: datetime) -> bool:
        """Whether hardware `shown_key` is the one that used the code, and the window is still open.

        It has no end before the device first negotiated (`negotiated_at`): a field client forgets its key at
        each start, and a power cut in week two must not brick it.
        """
        if self.device_id is None or shown_key is None or self.hardware_key is None:
            return False
        if not hmac.compare_digest(shown_key.encode(), self.hardware_key.encode()):
            return False
        ends_at = self.reclaim_ends_at(negotiated_at)
        return ends_at is None or now < ends_at

    def reclaim_ends_at(self, negotiated_at: datetime | None) -> datetime | None:
        """When the window closes; None while it has no end."""
        return None if negotiated_at is None else negotiated_at + self.reclaim_window


def make_code() -> str:
    """A new code, `PROV-A1B2-C3D4`: 40 random bits, guarded by its short life and by limits per address."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(2 * GROUP))
    return f"PROV-{letters[:GROUP]}-{letters[GROUP:]}"


def normalize_code(text: str) -> str:
    """A code as it was meant: any case, spaces or dashes, I and L for 1, O for 0, with or without PROV."""
    letters = text.replace("\0", "").strip().upper()
    bare = letters.replace("-", "").replace(" ", "").replace("_", "")
    if len(bare) == 4 + 2 * GROUP and bare.startswith("PROV"):
        bare = bare[4:]
    return bare.translate(_MEANT)


def hash_code(text: str, pepper: bytes) -> bytes:
    """How a code is stored and found. `pepper` is the installation's own: 40 bits can be tried out."""
    plain = normalize_code(text).encode("utf-8", "replace")
    return hmac.new(pepper, b"provisioning-code:" + plain, hashlib.sha256).digest()


def hint_of(code: str) -> str:
    """The last four characters, by which people tell their codes apart."""
    return code[-GROUP:]


def number_name(name: str | None, number: int, count: int) -> str | None:
    """The name of device `number` (from 1) of `count`: `{n}` becomes its number, `{nnn}` with zeros before it, `007`.

    Without a place for the number it comes last, unless there is only one: `Press` -> `Press 2`.
    """
    if name is None:
        return None
    numbered, places = _NUMBER.subn(lambda found: f"{number:0{len(found[1])}d}", name)
    return numbered if places or count == 1 else f"{name} {number}"


def clean_facts(facts: Mapping[str, object]) -> dict[str, object]:
    """What a device says of itself, made fit to keep. Unknown keys are kept.

    NULs (device-tree text ends in one) and halves of surrogate pairs go; a text is cut at 512 characters; a
    list or object of more than 2 KiB and keys beyond the first 64 are left out.
    """
    cleaned: dict[str, object] = {}
    for key, value in list(facts.items())[:FACTS_LIMIT]:
        name = _clean_text(key)[:64]
        if not name:
            continue
        if isinstance(value, str):
            cleaned[name] = _clean_text(value)[:FACT_TEXT_LIMIT]
        else:
            try:
                text = msgspec.json.encode(strip_nul(value))
            except (ValueError, TypeError, OverflowError):
                continue
            if len(text) <= FACT_TREE_LIMIT:
                cleaned[name] = msgspec.json.decode(text)
    return cleaned


def _clean_text(text: str) -> str:
    return text.replace("\0", "").encode("utf-8", "replace").decode().strip()


def hardware_key(hardware: Mapping[str, object], network: Mapping[str, object]) -> str | None:
    """By what the same hardware is known again: MAC address and board, as first reported.

    None when no MAC address was reported: who cannot be told from others cannot show a used code again.
    """
    mac = network.get("mac_address")
    if not isinstance(mac, str):
        return None
    plain = mac.lower().replace("-", ":").strip()
    if not plain.strip(":0"):
        return None
    board = hardware.get("board_model")
    return f"{plain}|{board.strip() if isinstance(board, str) else ''}"


def default_name(code_name: str | None, network: Mapping[str, object], code_hint: str) -> str:
    """The new device's name: the code's, else what it calls itself, else `Device ` and the code's hint."""
    hostname = network.get("hostname")
    own = hostname.strip()[:100] if isinstance(hostname, str) else ""
    return code_name or own or f"Device {code_hint}"


class CodeRefused(Problem):
    """One and the same for an unknown, used, expired or foreign code."""

    status, code, title = 403, "provisioning_refused", "Provisioning refused"

    def __init__(self) -> None:
        super().__init__(
            "This provisioning code is not valid: it is unknown, expired, or already used by other hardware. "
            "Make a new code in the console and give it to this device."
        )


class ClaimRefused(Problem):
    """One and the same for an unknown code, one that waits for no claim any more, and one that was never released."""

    status, code, title = 404, "claim_refused", "Claim refused"

    def __init__(self) -> None:
        super().__init__(
            "No released device waits under this code. Check the code, and ask who gave you the device to release it "
            "from their organization first."
        )


def no_such_code() -> NotFound:
    """The one answer for a missing code and for somebody else's."""
    return NotFound("There is no such code in this organization.", code="provisioning_code_not_found")

"""What is printed of a new code: the address behind its QR label, the label's lines, and the CSV of a batch. Pure."""

import csv
import io
from collections.abc import Iterable, Sequence
from urllib.parse import quote, urlsplit

from edgeflow_cloud.provisioning.model import ProvisioningCode

COLUMNS = ("code", "name", "tags", "project_id", "batch_id", "id", "expires_at", "claim_url")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def claim_url(public_url: str, code: str) -> str:
    """What the QR label holds. The code stands behind `#`, so that no server, log or referrer sees it."""
    return f"{public_url.rstrip('/')}/claim#{quote(code)}"


def claim_text(public_url: str, code: ProvisioningCode, text: str) -> str:
    """The lines beside the QR: the code, the device's name if it has one, and the cloud as devices are told it."""
    lines = [text, code.name, host_of(public_url)]
    return "\n".join(line for line in lines if line)


def host_of(public_url: str) -> str:
    """`host:port`, as `EDGEFLOW_SAAS_URL` on a device wants it."""
    parts = urlsplit(public_url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    host = parts.hostname or ""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def as_csv(rows: Iterable[Sequence[str]]) -> str:
    """The codes of a creation, with a heading. A cell that a spreadsheet would take for a formula begins with `'`."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in row])
    return text.getvalue()

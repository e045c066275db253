"""What an API key is, how it is made, and what its scopes permit. Pure."""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from edgeflow_cloud.kernel.errors import Invalid, NotFound
from edgeflow_cloud.kernel.ids import ApiKeyId, ProjectId, TenantId

KEY_PREFIX: Final = "edgeflow_"
SHOWN: Final = len(KEY_PREFIX) + 6
"""Characters of a key that stay readable: enough to tell keys apart, far too few to guess one."""

SCOPES: Final[dict[str, frozenset[str]]] = {
    "organization:read": frozenset({"organization:view"}),
    "organization:manage": frozenset({"organization:view", "organization:manage"}),
    "users:read": frozenset({"users:view"}),
    "users:manage": frozenset({"users:view", "users:manage"}),
    "projects:read": frozenset({"projects:view"}),
    "projects:manage": frozenset({"projects:view", "projects:manage"}),
    "devices:read": frozenset({"devices:view"}),
    "devices:manage": frozenset({"devices:view", "devices:manage"}),
    "flows:read": frozenset({"flows:view"}),
    "flows:manage": frozenset({"flows:view", "flows:manage"}),
    "resources:manage": frozenset({"resources:delete"}),
    "billing:read": frozenset({"billing:view"}),
    "audit:read": frozenset({"audit:view"}),
}
"""What each scope permits. No scope makes keys, pays, or deletes an organization: those want a person."""

LIMITABLE: Final = frozenset(
    {"devices:read", "devices:manage", "flows:read", "flows:manage", "projects:read", "resources:manage"}
)
"""Scopes over things that lie in projects. The others reach the organization as a whole: no key limited to projects
has one of them."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A program's key. The key itself is not here: it was shown once, and its hash is enough."""

    tenant_id: TenantId
    id: ApiKeyId
    name: str
    prefix: str
    scopes: tuple[str, ...]
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    networks: tuple[str, ...] = ()
    """From where it may be used, in CIDR; empty: from everywhere."""
    projects: tuple[ProjectId, ...] | None = None
    """What it is limited to; None: no limit."""


def make_key() -> str:
    """A new key: `edgeflow_` and 256 random bits."""
    return KEY_PREFIX + secrets.token_urlsafe(32)


def hash_key(key: str) -> bytes:
    """How a key is kept and found. It is random and long, so a plain SHA-256 cannot be guessed."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def tidy(scopes: Iterable[str]) -> list[str]:
    """Each scope once, in our order. Raises Invalid (`unknown_scope`) that lists the ones there are."""
    wanted = set(scopes)
    unknown = sorted(wanted - set(SCOPES))
    if unknown:
        raise Invalid(
            f"There is no scope {unknown[0][:60]}. Choose among {', '.join(SCOPES)}.", code="unknown_scope"
        )
    return [scope for scope in SCOPES if scope in wanted]


def refuse_unlimited(scopes: Iterable[str]) -> None:
    """Raises Invalid (`scope_not_in_projects`) for scopes that a key limited to projects cannot have."""
    wide = [scope for scope in scopes if scope not in LIMITABLE]
    if wide:
        raise Invalid(
            f"The scope {wide[0]} reaches the whole organization. A key limited to projects can have"
            f" {', '.join(scope for scope in SCOPES if scope in LIMITABLE)}.",
            code="scope_not_in_projects",
        )


def clean_networks(networks: Iterable[str]) -> list[str]:
    """Each address or range once, in CIDR (`10.0.0.7` is `10.0.0.7/32`). Raises Invalid (`invalid_network`)."""
    found: dict[str, None] = {}
    for text in networks:
        try:
            found[str(ip_network(text.strip()))] = None
        except ValueError as error:
            raise Invalid(
                f"{text[:60]!r} is no address and no range of addresses: {error}. Write 203.0.113.7 or 203.0.113.0/24.",
                code="invalid_network",
            ) from None
    return list(found)


def plain_address(address: str | None) -> str | None:
    """An address to compare with ranges: an IPv4 address that came through IPv6 is IPv4. None for no address."""
    try:
        read = ip_address((address or "").partition("%")[0])
    except ValueError:
        return None
    mapped = read.ipv4_mapped if isinstance(read, IPv6Address) else None
    return str(mapped or read)


def permissions_for(scopes: Iterable[str]) -> frozenset[str]:
    """What a key with these scopes may do. A scope that no longer exists permits nothing."""
    return frozenset[str]().union(*(SCOPES.get(scope, frozenset()) for scope in scopes))


def no_such_key() -> NotFound:
    """The one answer for a missing key and for another organization's."""
    return NotFound("There is no such API key in this organization.", code="api_key_not_found")

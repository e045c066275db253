"""Whose address counts: the peer's own, unless the peer is a proxy that we trust."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address


def trusting(proxies: Sequence[IPv4Network | IPv6Network]) -> Callable[[str, str], str]:
    """A function (peer, X-Forwarded-For) -> address. From the right, the first address that is no trusted
    proxy.
    """

    def is_trusted(text: str) -> bool:
        try:
            address = ip_address(text)
        except ValueError:
            return False
        return any(address in network for network in proxies if network.version == address.version)

    def address_of(peer: str, forwarded: str) -> str:
        if not forwarded or not is_trusted(peer):
            return peer
        for hop in reversed([part.strip() for part in forwarded.split(",")]):
            if not hop:
                continue
            if not is_trusted(hop):
                return hop[:64]
            peer = hop
        return peer

    return address_of

"""What machine this is: read, never guessed; a fact that cannot be read is absent."""

from __future__ import annotations

import contextlib
import platform
import socket
import uuid
from pathlib import Path

import psutil

_MODEL_FILES = (
    Path("/proc/device-tree/model"),
    Path("/sys/firmware/devicetree/base/model"),
    Path("/sys/devices/virtual/dmi/id/product_name"),
)
_ROUTES = Path("/proc/net/route")
_INTERFACES = Path("/sys/class/net")
_VIRTUAL = ("lo", "docker", "veth", "br-", "virbr", "tun", "tap", "wg")


def hardware_facts() -> dict[str, object]:
    """`os arch kernel board_model cpu_cores ram_mb disk_mb`, and the distribution where there is one."""
    facts: dict[str, object] = {
        "os": platform.system().lower(),
        "arch": platform.machine(),
        "kernel": platform.release(),
        "board_model": board_model(),
        "cpu_cores": psutil.cpu_count() or 1,
        "ram_mb": psutil.virtual_memory().total // (1024 * 1024),
        "distribution": _distribution(),
    }
    with contextlib.suppress(OSError):
        facts["disk_mb"] = psutil.disk_usage("/").total // (1024 * 1024)
    return {name: value for name, value in facts.items() if value not in ("", None)}


def network_facts(cloud_host: str = "", cloud_port: int = 443) -> dict[str, object]:
    """`hostname ip_address mac_address interface connection_type`, of the interface that leads to the
    cloud.
    """
    address = _own_address(cloud_host, cloud_port)
    interface = default_interface() or _interface_of(address)
    if (
        address.startswith("127.") or address == "::1"
    ):  # The cloud runs on this machine: say how others reach it.
        address = _address_of(interface) or address
    facts: dict[str, object] = {
        "hostname": socket.gethostname(),
        "ip_address": address or _address_of(interface),
        "mac_address": _mac_of(interface) or _any_mac(),
        "interface": interface,
        "connection_type": _connection_type(interface),
    }
    return {name: value for name, value in facts.items() if value}


def board_model() -> str:
    """The board as its firmware names it (device-tree texts end in NUL: stripped), else empty."""
    for path in _MODEL_FILES:
        try:
            text = path.read_bytes().decode(errors="replace").replace("\0", "").strip()
        except OSError:
            continue
        if text:
            return text[:200]
    return ""


def default_interface(routes: str | None = None) -> str:
    """The interface of the default route with the lowest metric, empty when there is none."""
    if routes is None:
        try:
            routes = _ROUTES.read_text()
        except OSError:
            return ""
    best: tuple[int, str] | None = None
    for line in routes.splitlines()[1:]:
        parts = line.split()
        if len(parts) >= 8 and parts[1] == "00000000" and parts[7] == "00000000" and parts[6].isdigit():
            candidate = (int(parts[6]), parts[0])
            best = candidate if best is None else min(best, candidate)
    return best[1] if best else ""


def _own_address(host: str, port: int) -> str:
    """The address we would speak from; connecting a datagram socket sends nothing. No name is looked up."""
    try:
        infos = socket.getaddrinfo(
            host or "192.0.2.1", port, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST
        )
        family, kind, _, _, remote = infos[0]
        with socket.socket(family, kind) as probe:
            probe.connect(remote)
            address = str(probe.getsockname()[0])
    except (OSError, IndexError):
        return ""
    return address if address not in ("0.0.0.0", "::") else ""  # noqa: S104 - compared, not bound


def _interface_of(address: str) -> str:
    for name, addresses in psutil.net_if_addrs().items():
        if address and any(entry.address == address for entry in addresses):
            return name
    return ""


def _address_of(interface: str) -> str:
    for entry in psutil.net_if_addrs().get(interface, []):
        if entry.family == socket.AF_INET:
            return str(entry.address)
    return ""


def _mac_of(interface: str) -> str:
    for entry in psutil.net_if_addrs().get(interface, []):
        if entry.family == psutil.AF_LINK and entry.address != "00:00:00:00:00:00":
            return str(entry.address).lower()
    return ""


def _any_mac() -> str:
    """Without a default route: the first real interface's, so that the same machine always says the same."""
    for name in sorted(psutil.net_if_addrs()):
        if not name.startswith(_VIRTUAL) and (mac := _mac_of(name)):
            return mac
    node = uuid.getnode()
    # With the multicast bit it is a random number of this process, which would name another machine at each
    # start.
    return "" if node >> 40 & 1 else ":".join(f"{node >> shift & 0xFF:02x}" for shift in range(40, -8, -8))


def _connection_type(interface: str) -> str:
    if not interface:
        return ""
    if (_INTERFACES / interface / "wireless").exists():
        return "wifi"
    if interface.startswith(("wwan", "ppp", "usb", "rmnet")):
        return "cellular"
    return "loopback" if interface == "lo" else "ethernet"


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        return ""

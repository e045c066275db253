"""What the machine says about itself, by psutil: one sample for the wire, and the published shapes of the
same facts.
"""

from __future__ import annotations

import os
import platform
import socket
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, cast

import psutil

from edgeflow_protocol.telemetry import Disk, Network, Sample

from .. import VERSION
from ..provisioning.facts import board_model

_THERMAL = Path("/sys/class/thermal")
_PSEUDO = frozenset({"squashfs", "overlay", "tmpfs", "devtmpfs", "iso9660", "fuse.snapfuse"})
_MOST_DISKS = 16
_MOST_NETWORKS = 32


class _CpuTimes(Protocol):
    """What psutil gives for one core on Linux: seconds since boot."""

    user: float
    nice: float
    system: float
    idle: float
    iowait: float
    irq: float
    softirq: float
    steal: float


class CpuMeter:
    """Percent of each core between two readings of its own: who shares a meter, shares the interval."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = _cores()
        self._percent = [0.0] * len(self._last)
        self._at = time.monotonic()

    def percent(self) -> list[float]:
        """Busy percent of each core since the last reading; within 0.2 s of it, the same numbers again."""
        with self._lock:
            now = time.monotonic()
            if now - self._at < 0.2 and any(self._percent):
                return self._percent
            cores = _cores()
            if len(cores) == len(self._last):
                self._percent = [_busy(old, new) for old, new in zip(self._last, cores, strict=True)]
            else:
                self._percent = [0.0] * len(cores)
            self._last, self._at = cores, now
            return self._percent


class Readings:
    """Reads samples. Every call may block for milliseconds: use a thread."""

    def __init__(self) -> None:
        self.cpu = CpuMeter()

    def sample(self) -> Sample:
        """The machine now. What cannot be read is absent."""
        cores = [round(percent, 1) for percent in self.cpu.percent()]
        memory, swap = psutil.virtual_memory(), psutil.swap_memory()
        load = load_average()
        return Sample(
            time=datetime.now(UTC),
            cpu_percent=round(sum(cores) / len(cores), 1) if cores else None,
            cpu_cores=cores,
            memory_total_bytes=memory.total,
            memory_used_bytes=memory.used,
            memory_available_bytes=memory.available,
            memory_percent=memory.percent,
            swap_total_bytes=swap.total,
            swap_used_bytes=swap.used,
            temperature_celsius=temperature(),
            uptime_seconds=uptime(),
            load_1=load[0],
            load_5=load[1],
            load_15=load[2],
            disks=disks(),
            networks=networks(),
        )


def disks() -> list[Disk]:
    """The root and every mounted device, one entry a device."""
    found: dict[str, Disk] = {}
    mounts = {"/": ""} | {
        part.mountpoint: part.device
        for part in psutil.disk_partitions(all=False)
        if part.fstype not in _PSEUDO and (part.device not in ("", "none"))
    }
    for mount, device in mounts.items():
        if len(found) >= _MOST_DISKS:
            break
        try:
            if not os.path.isdir(mount):  # A container sees single files mounted from its host's disk.
                continue
            usage = psutil.disk_usage(mount)
        except OSError:
            continue
        if usage.total > 0:
            found.setdefault(
                device or mount, Disk(mount=mount, total_bytes=usage.total, used_bytes=usage.used)
            )
    return list({disk.mount: disk for disk in found.values()}.values())


def networks() -> list[Network]:
    """Every interface but loopback, by name."""
    counters = psutil.net_io_counters(pernic=True)
    return [
        Network(interface=name, rx_bytes=count.bytes_recv, tx_bytes=count.bytes_sent)
        for name, count in sorted(counters.items())
        if name != "lo"
    ][:_MOST_NETWORKS]


def temperature() -> float | None:
    """Degrees Celsius of the hottest zone of the processor or board, None without a sensor."""
    hottest: float | None = None
    for path in sorted(_THERMAL.glob("thermal_zone*/temp")):
        try:
            degrees = int(path.read_text()) / 1000
        except (OSError, ValueError):
            continue
        if -50 < degrees < 200 and (hottest is None or degrees > hottest):
            hottest = degrees
    return None if hottest is None else round(hottest, 1)


def uptime() -> float:
    """Seconds since the machine started."""
    return round(time.clock_gettime(time.CLOCK_BOOTTIME), 1)


def load_average() -> tuple[float, float, float]:
    """Over 1, 5 and 15 minutes."""
    one, five, fifteen = os.getloadavg()
    return round(one, 2), round(five, 2), round(fifteen, 2)


def system_metrics(readings: Readings) -> dict[str, object]:
    """The answer to `get_system_metrics`, exactly as published. `temperature` is null without a sensor."""
    memory, swap = psutil.virtual_memory(), psutil.swap_memory()
    one, five, fifteen = load_average()
    cores = readings.cpu.percent()
    network = networks()
    return {
        "hostname": socket.gethostname(),
        "os": platform.system().lower(),
        "arch": platform.machine(),
        "board_model": board_model(),
        "uptime": int(uptime()),
        "temperature": temperature(),
        "cpu": {"usage_percent": _mean(cores)},
        "memory": {
            "total_bytes": memory.total,
            "used_bytes": memory.used,
            "free_bytes": memory.free,
            "available_bytes": memory.available,
            "percent": memory.percent,
        },
        "swap": {
            "total_bytes": swap.total,
            "used_bytes": swap.used,
            "free_bytes": swap.free,
            "percent": swap.percent,
        },
        "load_avg": {"1min": one, "5min": five, "15min": fifteen},
        "network": {
            "rx_bytes": sum(entry.rx_bytes or 0 for entry in network),
            "tx_bytes": sum(entry.tx_bytes or 0 for entry in network),
        },
    }


def system_info(readings: Readings) -> dict[str, object]:
    """The local `system/info`: the published fields, with what this agent is in the place of the Go
    version.
    """
    metrics = system_metrics(readings)
    seconds = cast(int, metrics["uptime"])
    return metrics | {
        "uptime_str": spell_duration(seconds),
        "cpu": {"cores": psutil.cpu_count() or 1, "usage_percent": _mean(readings.cpu.percent())},
        "disk": _disk(),
        "kernel": platform.release(),
        "platform": f"{platform.system().lower()}/{platform.machine()}",
        "agent_version": VERSION,
        "python_version": platform.python_version(),
        "timestamp": datetime.now(UTC).isoformat(),
    }


def system_stats(readings: Readings, tasks: int) -> dict[str, object]:
    """The local `resources/stats`, in both published shapes at once: `percent` and `usage_percent`, flat and
    nested.
    """
    metrics = system_metrics(readings)
    memory = cast(dict[str, object], metrics["memory"])
    return {
        "timestamp": datetime.now(UTC).isoformat(),
        "cpu": {"usage_percent": _mean(readings.cpu.percent()), "cores": psutil.cpu_count() or 1},
        "memory": memory | {"usage_percent": memory["percent"]},
        "disk": _disk(),
        "temperature": metrics["temperature"],
        "uptime": metrics["uptime"],
        "load_avg": metrics["load_avg"],
        "goroutines": tasks,
        "system": {name: value for name, value in metrics.items() if name not in ("cpu", "memory")},
    }


def system_report(tasks: int) -> dict[str, object]:
    """The local `resources/report`: whole megabytes and percent as text."""
    memory, disk = psutil.virtual_memory(), psutil.disk_usage("/")
    return {
        "timestamp": datetime.now(UTC).isoformat(),
        "memory": _megabytes(memory.total, memory.total - memory.available, memory.available),
        "disk": _megabytes(disk.total, disk.used, disk.free),
        "cpu": {"cores": psutil.cpu_count() or 1, "goroutines": tasks},
    }


def _megabytes(total: int, used: int, available: int) -> dict[str, object]:
    mega = 1024 * 1024
    return {
        "total_mb": total // mega,
        "used_mb": used // mega,
        "available_mb": available // mega,
        "percent": f"{100 * used / total if total else 0:.1f}%",
    }


def spell_duration(seconds: float) -> str:
    """`3h12m5s`, as the published API writes durations."""
    whole = int(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    if hours:
        return f"{hours}h{minutes}m{rest}s"
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def _disk() -> dict[str, object]:
    usage = psutil.disk_usage("/")
    return {
        "total_bytes": usage.total,
        "used_bytes": usage.used,
        "free_bytes": usage.free,
        "percent": usage.percent,
        "usage_percent": usage.percent,
    }


def _cores() -> Sequence[_CpuTimes]:
    return cast(Sequence[_CpuTimes], psutil.cpu_times(percpu=True))


def _busy(old: _CpuTimes, new: _CpuTimes) -> float:
    """Percent of the time between that was not idle. Guest time is inside user time already."""
    idle = (new.idle + new.iowait) - (old.idle + old.iowait)
    work = sum(
        getattr(new, name) - getattr(old, name)
        for name in ("user", "nice", "system", "irq", "softirq", "steal")
    )
    total = idle + work
    return 0.0 if total <= 0 else min(100.0, max(0.0, 100.0 * work / total))


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 1) if values else 0.0

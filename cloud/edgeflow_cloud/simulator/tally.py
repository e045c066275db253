"""What a fleet did, in numbers: counters, and latencies in logarithmic buckets (5 % wide)."""

import math
from collections import Counter
from dataclasses import dataclass, field

_BASE = math.log(1.05)
_LEAST = 1e-5


class Latencies:
    """Durations in seconds. Any number of them take a few hundred buckets."""

    __slots__ = ("_buckets", "count", "most")

    def __init__(self) -> None:
        self._buckets: Counter[int] = Counter()
        self.count = 0
        self.most = 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        self._buckets[max(0, math.ceil(math.log(max(seconds, _LEAST) / _LEAST) / _BASE))] += 1
        self.count += 1
        self.most = max(self.most, seconds)

    def quantile(self, share: float) -> float:
        """The duration that `share` of them did not exceed, at most 5 % too high; 0 when there are none."""
        wanted, passed = share * self.count, 0
        for bucket in sorted(self._buckets):
            passed += self._buckets[bucket]
            if passed >= wanted:
                return min(self.most, _LEAST * math.exp(bucket * _BASE))
        return self.most

    def shown(self) -> str:
        """`p50 3 ms, p99 41 ms, most 60 ms`."""
        if not self.count:
            return "none"
        parts = [f"p50 {_milliseconds(self.quantile(0.5))}", f"p99 {_milliseconds(self.quantile(0.99))}"]
        return ", ".join([*parts, f"most {_milliseconds(self.most)}"])

    def document(self) -> dict[str, float]:
        """For `--json`, in milliseconds."""
        found = {"p50": self.quantile(0.5), "p99": self.quantile(0.99), "most": self.most}
        return {"count": self.count, **{name: round(value * 1000, 2) for name, value in found.items()}}


@dataclass(slots=True)
class Tally:
    """Counters of one fleet. `closes` and `refusals` count by close code and by the cloud's `code`."""

    devices: int = 0
    connected: int = 0
    """Devices that are in now."""
    ever_in: int = 0
    attempts: int = 0
    connects: int = 0
    reconnects: int = 0
    dial_failures: int = 0
    crashes: int = 0
    gave_up: int = 0
    stalled: int = 0
    samples_made: int = 0
    samples_sent: int = 0
    """Those sent again are counted again."""
    samples_acked: int = 0
    samples_refused: int = 0
    samples_dropped: int = 0
    """Made while the device's spool was full."""
    reports_made: int = 0
    """Executions, device events and log lines."""
    reports_acked: int = 0
    reports_refused: int = 0
    reports_dropped: int = 0
    commands_received: int = 0
    commands_answered: int = 0
    commands_repeated: int = 0
    """Came with an id that had been here: answered from the journal, not run again."""
    shadows_reported: int = 0
    shadows_accepted: int = 0
    shadow_pushes: int = 0
    pings: int = 0
    pongs: int = 0
    drains: int = 0
    complaints: int = 0
    violations: int = 0
    """What would have killed a field client."""
    provision_calls: int = 0
    rest_failures: int = 0
    closes: Counter[int] = field(default_factory=Counter[int])
    refusals: Counter[str] = field(default_factory=Counter[str])
    connect_latency: Latencies = field(default_factory=Latencies)
    """From the dial to `connected`."""
    ack_latency: Latencies = field(default_factory=Latencies)
    pong_latency: Latencies = field(default_factory=Latencies)

    def line(self) -> str:
        """One line of progress."""
        return (
            f"{self.connected:,}/{self.devices:,} in, {self.reconnects:,} reconnects, "
            f"{self.samples_acked:,} of {self.samples_made:,} samples acknowledged, "
            f"{self.commands_answered:,} commands answered"
        )

    def rows(self) -> list[tuple[str, str]]:
        """The summary, a fact a row."""
        rows = [
            ("Devices", f"{self.devices:,}, {self.ever_in:,} of them were in, {self.connected:,} at the end"),
            (
                "Connects",
                f"{self.connects:,} of {self.attempts:,} attempts, {self.reconnects:,} reconnects; "
                f"{self.connect_latency.shown()}",
            ),
            (
                "Samples",
                f"{self.samples_made:,} made, {self.samples_sent:,} sent, {self.samples_acked:,} acknowledged",
            ),
            ("Acknowledged after", self.ack_latency.shown()),
            ("Commands", f"{self.commands_received:,} received, {self.commands_answered:,} answered"),
            ("Heartbeats", f"{self.pings:,} pings, {self.pongs:,} pongs; {self.pong_latency.shown()}"),
            (
                "Shadows",
                f"{self.shadows_reported:,} reports, {self.shadows_accepted:,} accepted, "
                f"{self.shadow_pushes:,} pushes",
            ),
        ]
        if self.reports_made:
            rows.insert(
                4,
                ("Reports", f"{self.reports_made:,} made, {self.reports_acked:,} acknowledged"),
            )
        trouble = {
            "dials failed": self.dial_failures,
            "crashes": self.crashes,
            "gave up": self.gave_up,
            "stalled": self.stalled,
            "samples refused": self.samples_refused,
            "samples dropped": self.samples_dropped,
            "reports refused": self.reports_refused,
            "reports dropped": self.reports_dropped,
            "commands repeated": self.commands_repeated,
            "drains": self.drains,
            "complaints": self.complaints,
            "violations": self.violations,
            "REST failures": self.rest_failures,
        }
        said = [f"{count:,} {name}" for name, count in trouble.items() if count]
        said += [f"{count:,} closes with {code}" for code, count in sorted(self.closes.items())]
        said += [f"{count:,} refusals `{code}`" for code, count in sorted(self.refusals.items())]
        return [*rows, ("Besides", "; ".join(said) or "nothing")]

    def document(self) -> dict[str, object]:
        """For `--json`."""
        found: dict[str, object] = {}
        for name in self.__slots__:
            value = getattr(self, name)
            if isinstance(value, Latencies):
                found[name] = value.document()
            elif isinstance(value, Counter):
                found[name] = {str(key): count for key, count in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
            else:
                found[name] = value
        return found


def _milliseconds(seconds: float) -> str:
    value = seconds * 1000
    return f"{value:.1f} ms" if value < 10 else f"{value:,.0f} ms"

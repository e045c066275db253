"""How far apart two things take, judged by pairs of samples that were taken right after each other. Pure."""

from dataclasses import dataclass, field
from math import ceil, sqrt
from statistics import median

SHARE, SECONDS = 0.01, 0.0002
"""The bound: 1 % of the larger median, or 0.2 ms, whichever is more."""
_LEAST = 24  # pairs before anything is said
_QUIET = 4  # of so many pairs the quietest one counts
_SURE = 2.58  # standard errors: an interval that holds the median with 99 %


@dataclass(slots=True)
class Pairs:
    """Samples in seconds."""

    known: list[float] = field(default_factory=list[float])
    unknown: list[float] = field(default_factory=list[float])

    def add(self, known: float, unknown: float) -> None:
        """One pair."""
        self.known.append(known)
        self.unknown.append(unknown)

    @property
    def quiet(self) -> list[tuple[float, float]]:
        """The quarter of the pairs that took least, both sides together: those that the machine disturbed least. That
        choice does not know which side is which, so it makes no difference, and takes none away.
        """
        pairs = sorted(zip(self.known, self.unknown, strict=True), key=sum)
        return pairs[: max(_LEAST, len(pairs) // _QUIET)]

    @property
    def medians(self) -> tuple[float, float]:
        """Known, unknown, of the quiet pairs."""
        quiet = self.quiet
        return median(known for known, _ in quiet), median(unknown for _, unknown in quiet)

    @property
    def bound(self) -> float:
        """How far apart they may be."""
        return max(SHARE * max(self.medians), SECONDS)

    @property
    def apart(self) -> float:
        """The median of the differences, known less unknown."""
        return median(known - unknown for known, unknown in self.quiet)

    @property
    def interval(self) -> tuple[float, float]:
        """Between which two values the median of the differences lies, nearly surely, whatever their distribution."""
        found = sorted(known - unknown for known, unknown in self.quiet)
        reach = ceil(_SURE * sqrt(len(found)) / 2)
        middle = (len(found) - 1) / 2
        return found[max(0, int(middle - reach))], found[min(len(found) - 1, ceil(middle + reach))]

    @property
    def alike(self) -> bool | None:
        """Whether the difference is within the bound; None while it is not known well enough."""
        if len(self.known) < _LEAST:
            return None
        low, high = self.interval
        if -self.bound <= low and high <= self.bound:
            return True
        return False if low > self.bound or high < -self.bound else None

    def __str__(self) -> str:
        if not self.known:
            return "no samples"
        low, high = self.interval
        known, unknown = self.medians
        return (
            f"known {known * 1e3:.3f} ms, unknown {unknown * 1e3:.3f} ms, {self.apart * 1e3:+.3f} ms apart"
            f" (99 %: {low * 1e3:+.3f} to {high * 1e3:+.3f}; bound {self.bound * 1e3:.3f}),"
            f" {len(self.quiet)} of {len(self.known)} pairs"
        )

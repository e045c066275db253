"""What goes wrong on a device or on its line, as people write it: `--fault loss=0.05 --fault crash=60`."""

from dataclasses import dataclass, fields, replace
from random import Random


class BadFault(ValueError):
    """A fault that is not known or has no sensible value; the text says what is."""


@dataclass(frozen=True, slots=True)
class Faults:
    """Of a fleet. Seconds and shares; 0 is healthy."""

    loss: float = 0.0
    """Share of the cloud's frames that vanish: TCP delivered them, the device lost them. (Its own cannot vanish alone:
    what TCP loses, it loses with the connection.)"""
    delay: float = 0.0
    """Each frame, either way, comes 0 to this many seconds late, in order."""
    skew: float = 0.0
    """Each device's clock is wrong by up to this many seconds, either way."""
    crash: float = 0.0
    """Mean seconds that a device runs before it dies; what it had on disk it still has, its boot is new."""
    stall: float = 0.0
    """Share of devices that read nothing once they are in, and go on talking."""

    @classmethod
    def parse(cls, texts: list[str]) -> "Faults":
        """From `name=value` texts. Raises BadFault."""
        found = cls()
        known = [item.name for item in fields(cls)]
        for text in texts:
            name, _, value = text.partition("=")
            if name not in known:
                raise BadFault(f"--fault takes {', '.join(f'{one}=…' for one in known)}, not {text!r}.")
            try:
                number = float(value)
            except ValueError:
                raise BadFault(f"--fault {name} needs a number, as in {name}=0.1, not {value!r}.") from None
            share = name in ("loss", "stall")
            if not 0.0 <= number <= (1.0 if share else 86_400.0 * 365):
                raise BadFault(
                    f"--fault {name} is a {'share from 0 to 1' if share else 'number of seconds'}."
                )
            found = replace(found, **{name: number})
        return found


@dataclass(frozen=True, slots=True)
class Ailments:
    """The faults of one device, drawn from the fleet's."""

    loss: float = 0.0
    delay: float = 0.0
    skew: float = 0.0
    crash: float = 0.0
    stalls: bool = False

    @classmethod
    def draw(cls, faults: Faults, dice: Random) -> "Ailments":
        """This device's share of bad luck."""
        skew = dice.uniform(-faults.skew, faults.skew) if faults.skew else 0.0
        return cls(faults.loss, faults.delay, skew, faults.crash, dice.random() < faults.stall)


HEALTHY = Ailments()

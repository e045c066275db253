"""What can go wrong with a part that we start ourselves, said so that a person knows what to do."""

import errno

_ADVICE = {
    errno.ENOSPC: "the disk is full; free some space or set EDGEFLOW_DATA_DIR to a folder on another disk",
    errno.EDQUOT: "the disk quota is used up; free some space or set EDGEFLOW_DATA_DIR to another folder",
    errno.EROFS: "the disk is read-only; set EDGEFLOW_DATA_DIR to a folder that can be written",
    errno.EACCES: "this user may not write there; set EDGEFLOW_DATA_DIR to a folder of your own",
    errno.EPERM: "this user may not write there; set EDGEFLOW_DATA_DIR to a folder of your own",
    errno.EMFILE: "too many open files; raise the limit (ulimit -n 4096) and start again",
    errno.ENOMEM: "there is not enough memory; free some and start again",
}

_CLUES = (
    ("no space left on device", _ADVICE[errno.ENOSPC]),
    ("disk quota exceeded", _ADVICE[errno.EDQUOT]),
    ("read-only file system", _ADVICE[errno.EROFS]),
    ("permission denied", _ADVICE[errno.EACCES]),
    ("cannot allocate memory", _ADVICE[errno.ENOMEM]),
    ("too many open files", _ADVICE[errno.EMFILE]),
)


class PartFailed(Exception):
    """A part did not start or did not stay.

    `str()` is a sentence with advice; `log` is the end of the part's own log, to be shown below it.
    """

    def __init__(self, part: str, what: str, log: str = "", advice: str = "") -> None:
        self.part = part
        self.log = log
        advice = advice or _advice_from(log)
        super().__init__(f"{part} {what}" + (f": {advice}." if advice else "."))

    @classmethod
    def from_os_error(cls, part: str, error: OSError) -> "PartFailed":
        """The same failure in words, from what the operating system said."""
        where = f" ({error.filename})" if error.filename else ""
        advice = _ADVICE.get(error.errno or 0) or (error.strerror or str(error)).lower()
        return cls(part, f"cannot be used{where}", advice=advice)


class AlreadyRunning(Exception):
    """Another process holds the data folder."""


def _advice_from(log: str) -> str:
    low = log.lower()
    return next((advice for clue, advice in _CLUES if clue in low), "")

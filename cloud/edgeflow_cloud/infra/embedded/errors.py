"""What can go wrong with a part that we start ourselves, said so that a person knows what to do."""

import errno

_ADVICE = {
    errno.ENOSPC: "the disk is full: free some space, or set EDGEFLOW_DATA_DIR to a folder on another disk",
    errno.EDQUOT: "the disk quota is used up: free some space, or set EDGEFLOW_DATA_DIR to another folder",
    errno.EROFS: "the folder is on a read-only file system: set EDGEFLOW_DATA_DIR to a folder that can be written",
    errno.EACCES: "this user may not write there: set EDGEFLOW_DATA_DIR to a folder of your own, or mend its owner",
    errno.EPERM: "this user may not write there: set EDGEFLOW_DATA_DIR to a folder of your own, or mend its owner",
    errno.EMFILE: "too many open files: raise the limit (ulimit -n 4096) and start again",
    errno.ENOMEM: "there is not enough memory: free some and start again",
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
    """A part did not start or did not stay. `str()` is one sentence with advice; `log` is the end of its own log."""

    def __init__(self, part: str, what: str, log: str = "", advice: str = "") -> None:
        self.part = part
        self.log = log
        advice = advice or _advice_from(log)
        super().__init__(f"{part} {what}" + (f": {advice}." if advice else "."))

    @classmethod
    def from_os_error(cls, part: str, error: OSError) -> "PartFailed":
        """The same failure in words, from what the operating system said."""
        where = f" at {error.filename}" if error.filename else ""
        reason = (error.strerror or str(error)).lower()
        advice = _ADVICE.get(error.errno or 0, "")
        return cls(part, f"could not be started{where} ({reason})", advice=advice)


class AlreadyRunning(Exception):
    """Another process holds the data folder."""


def _advice_from(log: str) -> str:
    low = log.lower()
    return next((advice for clue, advice in _CLUES if clue in low), "")

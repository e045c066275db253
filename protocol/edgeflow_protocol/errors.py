"""What can be wrong with bytes from the wire, or with a shadow document: typed, each with a sentence.

Nothing else is raised by this package for bad input: a caller that catches `FrameError` around a decode and
`DocumentError` around a shadow operation has caught everything.
"""

from __future__ import annotations

from enum import StrEnum


class Fault(StrEnum):
    """Why a frame was not understood. Stable: it is what the `code` of an `error` frame says."""

    TOO_LARGE = "frame_too_large"
    TOO_DEEP = "frame_too_deep"
    NOT_JSON = "not_json"
    NOT_AN_OBJECT = "not_an_object"
    MISSING_TYPE = "missing_type"
    UNKNOWN_TYPE = "unknown_type"
    WRONG_FIELD = "wrong_field"
    NOT_ENCODABLE = "not_encodable"


class FrameError(ValueError):
    """A frame that cannot be read or written. `str(error)` is a sentence for people.

    What could still be read of a frame with a wrong field is kept, so that an answer reaches whoever waits:
    `frame_type`, `id` (commands, shadows), `boot_id` and `sequence` (telemetry); empty or 0 when unknown.
    """

    def __init__(
        self,
        fault: Fault,
        sentence: str,
        *,
        frame_type: str = "",
        id: str = "",
        boot_id: str = "",
        sequence: int = 0,
    ) -> None:
        super().__init__(sentence)
        self.fault = fault
        self.frame_type = frame_type
        self.id = id
        self.boot_id = boot_id
        self.sequence = sequence


class DocumentError(ValueError):
    """A shadow document that breaks a limit. `code` is `document_too_large`, `document_too_deep` or
    `document_not_json`; the text is a sentence for people."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code

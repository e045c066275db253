"""What the cloud may ask of this device: one file a verb, and a journal so that no command runs twice."""

from .dispatch import Commands
from .journal import Journal
from .verbs import CommandError, Verb, make_verbs

__all__ = ["CommandError", "Commands", "Journal", "Verb", "make_verbs"]

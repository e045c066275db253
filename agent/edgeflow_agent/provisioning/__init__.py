"""Who this device is: credentials from the environment, the vault, or a one-time code."""

from .claim import ClaimFailed, ClaimRefused, claim
from .facts import hardware_facts, network_facts
from .identity import Identity

__all__ = ["ClaimFailed", "ClaimRefused", "Identity", "claim", "hardware_facts", "network_facts"]

"""Flows on this device: two slots each, signatures, trial and way back, and the plan that keeps them as desired."""

from .deployer import Deployer, FlowStatus, Trial
from .engine import FlowEngine, FlowRefused
from .keeper import FlowKeeper, fetch_release
from .lock import UpdateLock
from .model import FlowState, Origin
from .store import FlowStore, Release
from .trust import NotTrusted, Trust
from .wanted import plan_flows, read_wanted

__all__ = [
    "Deployer",
    "FlowEngine",
    "FlowKeeper",
    "FlowRefused",
    "FlowState",
    "FlowStatus",
    "FlowStore",
    "NotTrusted",
    "Origin",
    "Release",
    "Trial",
    "Trust",
    "UpdateLock",
    "fetch_release",
    "plan_flows",
    "read_wanted",
]

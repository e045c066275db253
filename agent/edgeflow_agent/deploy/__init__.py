"""Flows on this device: two slots each, signatures, trial and way back, and the plan that keeps them as desired."""

from .deployer import Deployer, FlowStatus, Trial
from .engine import FlowEngine, FlowRefused
from .keeper import FlowKeeper
from .lock import UpdateLock
from .model import FlowState, Origin
from .source import BundleSource
from .store import FlowStore, Release
from .trust import NotTrusted, Trust
from .wanted import plan_flows, read_wanted

__all__ = [
    "BundleSource",
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
    "plan_flows",
    "read_wanted",
]

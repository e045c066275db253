"""What the device should be and what it is: a pure plan between the two, a runner, and the sync with the
cloud.
"""

from .plan import Refuse, RestoreConsent, SetLogLevel, SetMetricsInterval, Step, plan
from .runner import Effects, NoEffects, ShadowRunner
from .sync import ShadowSync

__all__ = [
    "Effects",
    "NoEffects",
    "Refuse",
    "RestoreConsent",
    "SetLogLevel",
    "SetMetricsInterval",
    "ShadowRunner",
    "ShadowSync",
    "Step",
    "plan",
]

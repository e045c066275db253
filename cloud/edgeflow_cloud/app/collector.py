"""Python's garbage collector in a process that holds much for long: ten thousand devices, and all that was imported."""

import gc

_YOUNG = 10_000
"""New objects until the collector looks: a page or a batch makes thousands that die by themselves."""


def settle_collector() -> None:
    """Call once everything is started: what is there now stays, so that it is never looked through again.

    Without it a full collection stands still the longer the more devices there are, and comes while they come in.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, 10, 10)

"""EdgeFlow Cloud: the hub that fleets of edge devices connect to, and the people who care for them."""

__version__ = "0.1.0"

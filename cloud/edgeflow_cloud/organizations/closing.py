"""What a closed organization says to whoever asks at its door. Pure."""

from edgeflow_cloud.kernel.errors import Forbidden


class Closed(Forbidden):
    """The organization lets nobody in at the moment."""

    code = "organization_suspended"
    title = "Organization closed"


def refuse(closed: str | None) -> None:
    """Raise Closed (`organization_suspended`, `organization_deleted`) unless the organization is open (None)."""
    match closed:
        case None:
            return
        case "deleted":
            raise Closed(
                "This organization was deleted. An owner can restore it within the grace time: log in as an "
                "owner, or ask one.",
                code="organization_deleted",
            )
        case _:
            raise Closed(
                "This organization is suspended. Nothing in it is lost; ask the operator of this instance."
            )

"""HTTP of the live socket: the ticket."""

from edgeflow_cloud.app.live import tickets
from edgeflow_cloud.infra.http import SIGNED_IN, Caller, Ctx, Document, Router
from edgeflow_cloud.kernel.errors import Forbidden
from edgeflow_cloud.kernel.principal import Restriction

router = Router(tag="live")


class LiveTicket(Document):
    """Opens one socket: `/live?ticket=…`."""

    ticket: str
    expires_in: int


@router.post("/live/ticket", SIGNED_IN, transaction=False)
async def create_live_ticket(context: Ctx, caller: Caller) -> LiveTicket:
    """A ticket for the WebSocket `/live`, good once and for half a minute."""
    if caller.restriction is Restriction.MFA_REQUIRED:
        raise Forbidden(
            "This organization requires two-factor authentication: enable it in your profile first.",
            code="mfa_required",
        )
    if caller.projects is not None:
        raise Forbidden(
            "The live socket tells of the whole organization, and this key is limited to projects. Poll the lists"
            " instead, or use a key without this limit.",
            code="outside_projects",
        )
    return LiveTicket(ticket=await tickets.issue(context.bus, caller), expires_in=tickets.LIFETIME)

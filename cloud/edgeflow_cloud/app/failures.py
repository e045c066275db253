"""What can end a command, as a sentence that says what to do. All else is a bug and shows its trace."""

import asyncpg

from edgeflow_cloud.app.cloud import MissingPart
from edgeflow_cloud.app.server import PortTaken
from edgeflow_cloud.infra.embedded import AlreadyRunning, PartFailed
from edgeflow_cloud.infra.schema import WrongSchema
from edgeflow_cloud.infra.sealing import CannotOpen
from edgeflow_cloud.infra.secrets import BadSecret
from edgeflow_cloud.infra.supervisor import ServiceCrashed
from edgeflow_cloud.kernel.errors import Problem

_SAID = (
    PartFailed,
    AlreadyRunning,
    BadSecret,
    CannotOpen,
    PortTaken,
    WrongSchema,
    MissingPart,
    ServiceCrashed,
    Problem,
)


def sentence(error: BaseException) -> str | None:
    """The sentence for a person, None when the error is not one that we expect."""
    match error:
        case BaseExceptionGroup():
            said = [sentence(inner) for inner in error.exceptions]
            return " ".join(part for part in said if part) if all(said) else None
        case asyncpg.InvalidPasswordError() | asyncpg.InvalidAuthorizationSpecificationError():
            return (
                "The database refuses the password. With a database of your own, mend EDGEFLOW_DATABASE_URL; "
                "with the embedded one, restore secrets/database_password in the data folder from a backup."
            )
        case asyncpg.InvalidCatalogNameError():
            return f"{str(error).capitalize()}: create it, or mend EDGEFLOW_DATABASE_URL."
        case asyncpg.InsufficientPrivilegeError():
            return (
                f"The database's user lacks rights ({error}): it must own the database and may create roles."
            )
        case asyncpg.DiskFullError():
            return "The database's disk is full: free some space and start again."
        case asyncpg.PostgresConnectionError() | asyncpg.CannotConnectNowError():
            return f"The database does not answer ({error}): start it, or mend EDGEFLOW_DATABASE_URL."
        case ConnectionError() | TimeoutError():
            return f"A server that is needed does not answer ({error}): start it, or mend its EDGEFLOW_…_URL."
        case _ if isinstance(error, _SAID):
            return str(error)
        case _:
            return None


def evidence(error: BaseException) -> str:
    """The end of a part's own log, empty when there is none to show."""
    return error.log if isinstance(error, PartFailed) else ""

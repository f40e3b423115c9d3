"""What a center answers when its registry's store cannot do a thing: a refusal, and the sender may try again."""

from distribution_center.registry.repository import RepositoryError, RepositoryLost
from media_network.http.refusing_errors import refuse_errors
from media_network.http.server import HandlerTable
from media_network.refusal import Reason, Refused


def refuse_store_errors(table: HandlerTable) -> None:
    """Make every verb of a table answer with a refusal where it would have raised a `RepositoryError`."""
    refuse_errors(table, (RepositoryError, OverflowError), _refusal)


def _refusal(error: Exception) -> Refused:
    if isinstance(error, RepositoryLost):
        return Refused(Reason.OVERDUE, str(error))
    if isinstance(error, RepositoryError):
        return Refused(Reason.BUSY, str(error))
    return Refused(Reason.BAD_MESSAGE, "a number in the message is larger than any store takes")  # from a write

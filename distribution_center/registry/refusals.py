"""What a center answers when its registry's store cannot do a thing: a refusal, and the sender may try again."""

from dataclasses import replace
from functools import wraps
from typing import TypeVar

from msgspec import Struct

from distribution_center.registry.repository import RepositoryError, RepositoryLost
from media_network.http.endpoint import AnswerToHost
from media_network.http.server import HandlerTable
from media_network.refusal import Reason, Refused

_Request = TypeVar("_Request", bound=Struct)
_Reply = TypeVar("_Reply", bound=Struct)


def refuse_store_errors(table: HandlerTable) -> None:
    """Make every verb of a table answer with a refusal where it would have raised a `RepositoryError`."""
    table.posts[:] = [replace(post, answer=_refusing(post.answer)) for post in table.posts]


def _refusing(answer: AnswerToHost[_Request, _Reply]) -> AnswerToHost[_Request, _Reply]:
    @wraps(answer)
    async def refusing(request: _Request, host: str) -> _Reply | Refused:
        try:
            return await answer(request, host)
        except RepositoryLost as error:
            return Refused(Reason.OVERDUE, str(error))
        except RepositoryError as error:
            return Refused(Reason.BUSY, str(error))
        except OverflowError:  # from a write
            return Refused(Reason.BAD_MESSAGE, "a number in the message is larger than any store takes")

    return refusing

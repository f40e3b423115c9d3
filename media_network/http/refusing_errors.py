"""Errors that are refusals: what the verbs of a party answer where its store, say, cannot do a thing."""

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import TypeVar

from msgspec import Struct

from media_network.http.asker import Asker
from media_network.http.endpoint import AnswerToAsker
from media_network.http.server import HandlerTable
from media_network.refusal import Refused

_Request = TypeVar("_Request", bound=Struct)
_Reply = TypeVar("_Reply", bound=Struct)
_Error = TypeVar("_Error", bound=Exception)


def refuse_errors(table: HandlerTable, errors: tuple[type[_Error], ...], refusal: Callable[[_Error], Refused]) -> None:
    """Make every verb that a table has by now answer with a refusal where it would have raised one of these errors."""

    def refusing(answer: AnswerToAsker[_Request, _Reply]) -> AnswerToAsker[_Request, _Reply]:
        @wraps(answer)
        async def answer_or_refuse(request: _Request, asker: Asker) -> _Reply | Refused:
            try:
                return await answer(request, asker)
            except errors as error:
                return refusal(error)

        return answer_or_refuse

    table.posts[:] = [replace(post, answer=refusing(post.answer)) for post in table.posts]

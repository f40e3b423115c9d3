"""Pages: of many things so many as fit into one message, and at least one."""

from collections.abc import Iterable
from typing import TypeVar

import msgspec
from msgspec import Struct

PAGE_BYTES_MAX = 512 * 1024

_Item = TypeVar("_Item", bound=Struct)


def first_page(items: Iterable[_Item], bytes_max: int = PAGE_BYTES_MAX) -> tuple[list[_Item], bool]:
    """The first items that together weigh no more than that as JSON, and whether there are more."""
    page: list[_Item] = []
    weight = 0
    for item in items:
        weight += len(msgspec.json.encode(item)) + 1
        if page and weight > bytes_max:
            return page, True
        page.append(item)
    return page, False

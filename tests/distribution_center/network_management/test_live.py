"""What an open page is told, when pictures change while it reads."""

import asyncio
from contextlib import aclosing

import msgspec

from distribution_center.network_management.live import Live
from tests.patience import PATIENCE_S


class Shown:
    """A network of which only the picture is known."""

    alarms = ()

    def __init__(self, **components):
        self.components = components

    def picture(self):
        return {name: {"component": name, "health": health} for name, health in self.components.items()}


async def next_of(news):
    async with asyncio.timeout(PATIENCE_S):
        [event] = await anext(news)
    change = msgspec.json.decode(event.data)
    return event.name, {each["component"]: each["health"] for each in change["components"]}


def test_what_changes_while_a_reader_takes_what_came_before_is_told_next():
    async def read():
        shown = Shown(north="green", south="green")
        live = Live(shown)
        async with aclosing(live.news()) as news:
            assert await next_of(news) == ("network", {"north": "green", "south": "green"})
            shown.components["north"] = "red"
            live.whole()
            assert await next_of(news) == ("changes", {"north": "red"})
            shown.components["south"] = "red"
            live.whole()
            assert await next_of(news) == ("changes", {"south": "red"})
            del shown.components["south"]
            live.whole()
            assert await next_of(news) == ("network", {"north": "red"})

    asyncio.run(read())


def test_what_somebody_else_asked_to_see_is_told_to_all_who_wait():
    async def read():
        shown = Shown(north="green")
        live = Live(shown)
        async with aclosing(live.news()) as news:
            await next_of(news)
            waiting = asyncio.ensure_future(next_of(news))
            await asyncio.sleep(0)
            shown.components["north"] = "red"
            live.whole()
            assert await waiting == ("changes", {"north": "red"})

    asyncio.run(read())

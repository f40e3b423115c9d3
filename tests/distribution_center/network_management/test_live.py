"""What an open page is told, when pictures change while it reads."""

import asyncio
from contextlib import aclosing

import msgspec

from distribution_center.network_management.live import Live
from distribution_center.network_management.network import NetworkChanges
from tests.patience import PATIENCE_S


class Shown:
    """A network of which only what changes is known."""

    def __init__(self, **components):
        self.changes = NetworkChanges()
        self.show(**components)

    def show(self, **components):
        self.changes.components |= {name: {"health": health, "slot": 1} for name, health in components.items()}

    def take_changes(self):
        changes, self.changes = self.changes, NetworkChanges()
        return changes


async def next_of(news):
    async with asyncio.timeout(PATIENCE_S):
        [event] = await anext(news)
    change = msgspec.json.decode(event.data)
    told = {each["component"]: each["health"] for each in change["components"]}
    return event.name, told | dict.fromkeys(change["gone"])


def test_what_changes_while_a_reader_takes_what_came_before_is_told_next():
    async def read():
        shown = Shown(north="green", south="green")
        live = Live(shown)
        async with aclosing(live.news()) as news:
            assert await next_of(news) == ("network", {"north": "green", "south": "green"})
            shown.show(north="red")
            live.whole()
            assert await next_of(news) == ("changes", {"north": "red"})
            shown.show(south="red")
            live.whole()
            assert await next_of(news) == ("changes", {"south": "red"})
            shown.changes.gone.add("south")
            live.whole()
            assert await next_of(news) == ("changes", {"south": None})
            shown.show(south="green")
            live.whole()
            assert await next_of(news) == ("changes", {"south": "green"})

    asyncio.run(read())


def test_what_somebody_else_asked_to_see_is_told_to_all_who_wait():
    async def read():
        shown = Shown(north="green")
        live = Live(shown)
        async with aclosing(live.news()) as news:
            await next_of(news)
            waiting = asyncio.ensure_future(next_of(news))
            await asyncio.sleep(0)
            shown.show(north="red")
            live.whole()
            assert await waiting == ("changes", {"north": "red"})

    asyncio.run(read())


def test_a_field_that_is_the_same_is_not_told_again_and_who_missed_too_much_is_told_all():
    async def read():
        shown = Shown(north="green", south="green")
        live = Live(shown)
        async with aclosing(live.news()) as news:
            await next_of(news)
            shown.show(north="red", south="green")
            live.whole()
            [event] = await anext(news)
            assert msgspec.json.decode(event.data)["components"] == [{"component": "north", "health": "red"}]
            for number in range(5000):  # more than are remembered
                shown.show(**{f"station-{number}": "green"})
                live.draw()
                shown.changes.gone.add(f"station-{number}")
                live.draw()
            assert await next_of(news) == ("network", {"north": "red", "south": "green"})

    asyncio.run(read())

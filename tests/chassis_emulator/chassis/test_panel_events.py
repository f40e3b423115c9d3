"""The panel's event log is in the order of time, whichever chassis tells first."""

import asyncio
from types import SimpleNamespace

from blade_agent.chassis_manager.orders import EventRow, Events
from chassis_emulator.chassis import panel_source
from chassis_emulator.chassis.panel_source import NetworkView

LOGS = {
    "home": [(100, "M3 to M4"), (400, "M4 to M7")],
    "north": [(101, "M3 to M4"), (300, "becomes director")],
    "south": [(99, "M3 to M4")],
}


def logged(station, after):
    rows = [
        EventRow(id=number, time=time, slot=1, sensor="Slot 1", event=text, asserted=True, severity="info", record="")
        for number, (time, text) in enumerate(LOGS[station], 1)
        if number > after
    ]
    return Events(events=tuple(rows), last=len(LOGS[station]))


def test_events_that_come_together_are_told_in_the_order_of_time(monkeypatch):
    async def send_order(orders, verb, asked, *, timeout_s):
        return logged(orders, asked.after)

    monkeypatch.setattr(panel_source, "send_order", send_order)
    chassis = {station: SimpleNamespace(plan=SimpleNamespace(orders=station)) for station in LOGS}
    view = NetworkView(plan=None, chassis=chassis, processes=None, faults=None, desk=None, boot="1", nms=None)

    async def look():
        first = await view.events(0)
        LOGS["south"].append((500, "M4 to M6"))
        return first, await view.events(first[-1].id)

    first, later = asyncio.run(look())
    assert [(event.time_s, event.station) for event in first] == [
        (99, "south"),
        (100, "home"),
        (101, "north"),
        (300, "north"),
        (400, "home"),
    ]
    assert [event.id for event in (*first, *later)] == [1, 2, 3, 4, 5, 6]
    assert [event.text for event in later] == ["Slot 1: M4 to M6"]

"""What a disk does not take ends nobody's work, and is said once."""

import asyncio
import errno
import logging

import pytest

from media_network.local_orders import send_order, take_orders
from media_network.messages.verb import Caller, Done, Verb
from media_network.passing_trouble import PassingTrouble
from media_network.refusal import Reason, Refused
from media_network.status import ProcessStatus, StatusTeller, read_status


def test_trouble_is_said_when_it_begins_when_it_changes_and_when_it_ends(caplog):
    trouble = PassingTrouble(logging.getLogger("test"), "the picture cannot be drawn")
    for error in (None, errno.ENOSPC, errno.ENOSPC, errno.EIO, None, None):
        with trouble:
            if error:
                raise OSError(error, {errno.ENOSPC: "full", errno.EIO: "broken"}[error])
    assert [record.getMessage() for record in caplog.records] == [
        "the picture cannot be drawn: full; going on without it",
        "the picture cannot be drawn: broken; going on without it",
        "the picture cannot be drawn: works again",
    ]


def test_other_errors_are_not_passed_over():
    trouble = PassingTrouble(logging.getLogger("test"), "")
    with pytest.raises(ValueError, match="ours"), trouble:
        raise ValueError("ours")


def test_a_status_that_could_not_be_written_is_written_once_it_can_be(tmp_path):
    folder, status = tmp_path / "state", ProcessStatus(pid=7, role="center", state="serving")
    teller = StatusTeller(folder)
    assert not teller.tell(status)
    folder.mkdir()
    assert teller.tell(status)
    assert not teller.tell(status)
    assert read_status(folder) == status


def test_an_order_that_a_disk_does_not_take_is_refused_and_the_next_is_heard(tmp_path):
    class Order(Done):
        pass

    verb = Verb("write", Order, Done, "Write.", callers=(Caller.OPERATOR,))
    trouble = [OSError(errno.ENOSPC, "No space left on device")]

    async def write(_):
        if trouble:
            raise trouble.pop()
        return Done()

    async def give():
        async with take_orders(tmp_path / "orders", {verb: write}):
            return [await send_order(tmp_path / "orders", verb, Order()) for _ in range(2)]

    assert asyncio.run(give()) == [Refused(Reason.IO_ERROR, "no space left on device"), Done()]

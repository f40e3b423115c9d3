"""The loop: virtual time, order, and how a run fails."""

import asyncio
import random
import signal
import time

import pytest

from chassis_emulator.simulation.errors import Deadlock, Escaped, Livelock, TookTooLong
from chassis_emulator.simulation.loop import EXECUTOR_DELAY_S, SimulatedLoop
from chassis_emulator.simulation.simulation import Simulation


def test_a_day_of_sleep_takes_no_time_and_ends_at_its_instant():
    with Simulation(1) as simulation:
        began = time.process_time()
        simulation.run_until_complete(asyncio.sleep(86400), within_s=1e6)
        assert simulation.loop.time() == 86400
        assert time.process_time() - began < 5


def test_callbacks_and_timers_of_one_instant_run_in_the_order_they_were_made():
    loop = SimulatedLoop(random.Random(1))
    ran = []
    for number in range(5):
        loop.call_at(2.0, ran.append, f"timer {number}")
        loop.call_soon(ran.append, f"soon {number}")
    loop.call_at(1.0, ran.append, "earlier")
    loop.call_at(3.0, loop.stop)
    loop.run_forever()
    loop.close()
    assert ran == [*(f"soon {n}" for n in range(5)), "earlier", *(f"timer {n}" for n in range(5))]


def test_a_cancelled_timer_does_not_move_the_clock():
    loop = SimulatedLoop(random.Random(1))
    loop.call_at(1000.0, loop.stop).cancel()
    loop.call_at(1.0, loop.stop)
    loop.run_forever()
    assert loop.time() == 1.0
    with pytest.raises(Deadlock):
        loop.run_forever()
    assert loop.time() == 1.0
    loop.close()


def test_timeouts_fire_in_virtual_time():
    async def wait() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(30):
                await asyncio.Event().wait()
        return asyncio.get_running_loop().time()

    with Simulation(1) as simulation:
        assert simulation.run_until_complete(wait()) == 30


def test_a_blocking_call_runs_later_and_returns_after_the_time_it_spent():
    async def work(loop: SimulatedLoop) -> tuple[str, float]:
        calls = []
        future = loop.run_in_executor(
            None, lambda: (calls.append(loop.time()), loop.block_until(loop.time() + 2.0), "done")[-1]
        )
        assert not calls
        result = await future
        assert EXECUTOR_DELAY_S[0] <= calls[0] <= EXECUTOR_DELAY_S[1]
        return result, loop.time() - calls[0]

    with Simulation(1) as simulation:
        assert simulation.run_until_complete(work(simulation.loop)) == ("done", 2.0)


def test_the_exception_of_a_blocking_call_comes_to_whoever_waits():
    async def work() -> None:
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(lambda: 1 / 0)

    with Simulation(1) as simulation:
        simulation.run_until_complete(work())


def test_a_deadlock_ends_the_run_and_names_who_waits():
    async def wait() -> None:
        await asyncio.gather(asyncio.create_task(asyncio.Event().wait(), name="the waiting one"))

    with pytest.raises(Deadlock) as caught, Simulation(1) as simulation:
        simulation.run_until_complete(wait())
    assert caught.value.waiting == ["the onlooker", "the waiting one"]
    assert "seed 1" in caught.value.__notes__[0]


def test_a_livelock_ends_the_run():
    async def spin() -> None:
        while True:  # noqa: ASYNC110 -- what is tested
            await asyncio.sleep(0)

    with pytest.raises(Livelock), Simulation(1) as simulation:
        simulation.run_until_complete(spin())


def test_too_much_virtual_time_ends_the_run():
    async def beat() -> None:
        while True:  # noqa: ASYNC110 -- a program that never ends
            await asyncio.sleep(1)

    with pytest.raises(TookTooLong) as caught, Simulation(1) as simulation:
        simulation.run_until_complete(beat(), within_s=60)
    assert caught.value.waiting == ["the onlooker"]


def test_an_exception_in_a_callback_ends_the_run():
    async def wait() -> None:
        asyncio.get_running_loop().call_later(1, lambda: 1 / 0)
        await asyncio.sleep(10)

    with pytest.raises(Escaped) as caught, Simulation(1) as simulation:
        simulation.run_until_complete(wait())
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert caught.value.at_s == 1


def test_an_exception_in_a_task_that_nobody_awaits_ends_the_run():
    async def fail() -> None:
        raise LookupError

    async def wait() -> None:
        asyncio.create_task(fail())  # noqa: RUF006 -- nobody holds it: that is the point
        await asyncio.sleep(10)

    with pytest.raises(Escaped) as caught, Simulation(1) as simulation:
        simulation.run_until_complete(wait())
    assert isinstance(caught.value.__cause__, LookupError)


def test_an_exception_in_the_program_of_a_host_ends_the_run():
    async def fail() -> None:
        await asyncio.sleep(5)
        raise LookupError

    with Simulation(1) as simulation:
        simulation.start(simulation.host("127.1.1.1"), fail)
        with pytest.raises(Escaped, match=r"127\.1\.1\.1") as caught:
            simulation.run(until_s=10)
    assert caught.value.at_s == 5


def test_run_stops_at_the_moment_and_goes_on_from_there():
    ticks = []

    async def tick() -> None:
        while True:
            await asyncio.sleep(1)
            ticks.append(asyncio.get_running_loop().time())

    with Simulation(1) as simulation:
        simulation.start(simulation.host("127.1.1.1"), tick)
        simulation.run(until_s=2.5)
        assert ticks == [1, 2]
        simulation.run(until_s=4.5)
        assert ticks == [1, 2, 3, 4]


def test_tasks_stand_in_sets_in_the_same_order_in_every_run():
    async def order() -> list[str]:
        tasks = {asyncio.create_task(asyncio.sleep(1), name=str(number)) for number in range(20)}
        done, _ = await asyncio.wait(tasks)
        return [task.get_name() for task in done]

    orders = []
    for _ in range(3):
        with Simulation(1) as simulation:
            orders.append(simulation.run_until_complete(order()))
    assert orders[0] == orders[1] == orders[2]


def test_what_needs_an_operating_system_is_refused_in_words():
    loop = SimulatedLoop(random.Random(1))
    with pytest.raises(NotImplementedError, match="signals"):
        loop.add_signal_handler(signal.SIGTERM, print)
    with pytest.raises(NotImplementedError, match="descriptors"):
        loop.add_reader(0, print)
    loop.close()


def test_names_are_not_resolved_and_numeric_addresses_are():
    async def resolve() -> None:
        loop = asyncio.get_running_loop()
        assert [info[4] for info in await loop.getaddrinfo("127.1.2.3", 80)] == [("127.1.2.3", 80)] * 2
        with pytest.raises(OSError, match=r"media\.example"):
            await loop.getaddrinfo("media.example", 80)

    with Simulation(1) as simulation:
        simulation.run_until_complete(resolve())

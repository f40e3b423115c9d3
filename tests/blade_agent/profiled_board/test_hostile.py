"""Any conversation with a CBC on a real adapter: every request is answered, and the blade goes on."""

import asyncio
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blade_agent.backplane.message import Request, Response
from blade_agent.backplane.messages.device import GET_DEVICE_ID
from blade_agent.cbc.controller import COMMAND_MODULES
from tests.blade_agent.backplane.commands import completion
from tests.blade_agent.profiled_board.conftest import ADDRESS, EmulatedBlade

CODES = sorted(
    {code for module in COMMAND_MODULES for code in module.answers}, key=lambda code: (code.net_fn, code.number)
)
SMALL = st.integers(0, 5) | st.integers(0, 255)
FIELDS = st.lists(SMALL, max_size=8).map(bytes) | st.binary(max_size=40)
STEPS = st.lists(st.tuples(st.sampled_from(CODES), FIELDS, st.floats(0, 3)), max_size=30)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_any_conversation_is_answered_and_leaves_a_blade_that_answers(play, steps):
    with tempfile.TemporaryDirectory() as folder:
        blade = EmulatedBlade(Path(folder))

        async def story():
            async with blade.running():
                for code, fields, pause_s in steps:
                    before = len(blade.wire.messages)
                    blade.wire.put(
                        Request(
                            responder=ADDRESS,
                            requester=0x20,
                            net_fn=code.net_fn,
                            command=code.number,
                            sequence=9,
                            data=code.group + fields,
                        )
                    )
                    answers = [one for one in blade.wire.messages[before:] if isinstance(one, Response)]
                    assert [one.completion for one in answers] == [completion(code, answers[0].completion)]
                    await asyncio.sleep(pause_s)
                assert blade.ask(GET_DEVICE_ID).device_id == 0x20

        play(story())


@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 63) | st.none(), max_size=20), st.integers(0, 255))
def test_only_the_answer_to_the_event_under_way_acknowledges_it(play, sequences, completion):
    with tempfile.TemporaryDirectory() as folder:
        blade = EmulatedBlade(Path(folder))

        async def story():
            async with blade.running():
                event = blade.wire.events[0]
                for sequence in sequences:
                    if sequence is not None and sequence != event.sequence:
                        answer = event.respond(completion)
                        blade.wire.put(
                            Response(
                                **{name: getattr(answer, name) for name in answer.__struct_fields__}
                                | {"sequence": sequence}
                            )
                        )
                await asyncio.sleep(1)
                assert {one.sequence for one in blade.wire.events} == {event.sequence}
                assert blade.cbc.blade.event_sender.sent == 0

        play(story())

"""One durable file: written once while it is recorded, and looked at in every state that a power cut may leave."""

import shutil

from tests.power_cut.aftermath import aftermaths
from tests.power_cut.recording import recording

_OPERATIONS_TOLD = 12
_LETTERS_TOLD = 200


def cut_everywhere(durable, folder, *, drawn):
    """Gives the number of states. Raises AssertionError with a story for the first in which something does not hold."""
    recorded_at, found_at = folder / "disk", folder / "found"
    recorded_at.mkdir()
    with recording(recorded_at) as record:
        durable.write(recorded_at, record)
    states = 0
    for aftermath in aftermaths(record, drawn=drawn):
        states += 1
        found_at.mkdir()
        aftermath.lay_out(recorded_at, found_at)
        _look(durable, record, aftermath, found_at)
        shutil.rmtree(found_at)
    return states


def _look(durable, record, aftermath, found_at):
    try:
        found = durable.look(found_at)
    except Exception as error:
        raise AssertionError(_story(durable, record, aftermath, f"{type(error).__name__}: {error}")) from error
    assert durable.holds(aftermath.told, found), _story(durable, record, aftermath, f"found {found!s}")
    aside = [path.name for path in found_at.rglob("*.damaged-*")]
    assert not aside, _story(durable, record, aftermath, f"{aside} set aside")


def _story(durable, record, aftermath, what):
    done = [f"  {operation}" for operation in record.operations[: aftermath.after]][-_OPERATIONS_TOLD:]
    when = f"power cut after {aftermath.after} of {len(record.operations)} operations, {aftermath.fate}"
    told = f"acknowledged last: {str(aftermath.told.last)[:_LETTERS_TOLD]}"
    return "\n".join((f"{durable.name}: {when}. The last ones were", *done, told, what[:_LETTERS_TOLD]))

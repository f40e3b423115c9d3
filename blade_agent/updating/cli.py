"""`blade-agent update ...`: the two system slots of a board, and what is being done with them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from blade_agent.flashing.cli import NotKept
from blade_agent.image.options import NotTheImage, image_argument, key_option, look_at
from blade_agent.image.progress import Progress
from media_network.cli import Commands, UserError, WholeRange, echo_json, json_option, saying
from media_network.table import format_table

if TYPE_CHECKING:
    from blade_agent.boot.boot_state import BootState, SystemSlot

BOOT_STATE = "/dev/disk/by-partlabel/boot-state"
SLOTS = "/dev/disk/by-partlabel/system-"
_COMMAND_LINE = Path("/proc/cmdline")
_OS_RELEASE = Path("/etc/os-release")
_LOWEST = "nothing older than {} is taken"


class Refused(UserError):
    """Something that must not be done to the slots."""

    exit_code = 4


def _boot_state_option(command: click.decorators.FC) -> click.decorators.FC:
    return click.option(
        "--boot-state",
        type=click.Path(path_type=Path),
        default=Path(BOOT_STATE),
        show_default=True,
        help="Partition that holds the boot state, or a copy of it.",
    )(command)


@click.group(cls=Commands)
def update() -> None:
    """The system that a board boots, and updates of it.

    \b
    Example:
      blade-agent update status
    """


@update.command()
@_boot_state_option
@json_option("an object with `running`, `slots`, `tries` and `minimum`")
def status(*, boot_state: Path, as_json: bool) -> None:
    """Show both system slots, what runs, and what is booted next.

    \b
    Example:
      blade-agent update status --json
    """
    from blade_agent.boot.boot_copies import BootCopies
    from blade_agent.boot.boot_state import boot
    from blade_agent.boot.running_slot import running_slot

    with _saying():
        state = BootCopies(boot_state).read()
    running, booted_next = running_slot(_COMMAND_LINE), boot(state)[0]
    if as_json:
        echo_json(_as_object(state, running, booted_next))
        return
    rows = [
        (slot.value, _release(state, slot), _standing(state, slot), _now(slot, running, booted_next))
        for slot in type(state.good)
    ]
    click.echo(format_table(("SLOT", "RELEASE", "STANDING", "NOW"), rows))
    click.echo(_LOWEST.format(state.minimum))


@update.command(name="stage")
@image_argument
@key_option
@click.option("--profile", default="", help="Kind of board.  [default: IMAGE_ID of /etc/os-release]")
@click.option("--slots", default=SLOTS, show_default=True, help="Path of the two slots, to which a or b is added.")
@_boot_state_option
@json_option("an object with the slot and what was written")
def stage_system(path: Path, *, key: Path, profile: str, slots: str, boot_state: Path, as_json: bool) -> None:
    """Write IMAGE, the system of one slot, into the slot that is not the good one, and read it back.

    It is not booted before `update apply`. What was in that slot is gone. Ends with status 3 where the image is not
    what its key has signed, 4 where it must not come here, and 5 where the slot does not hold what was written to it.

    \b
    Example:
      blade-agent update stage system.img.zst --key image.pub
    """
    from blade_agent.boot.boot_copies import BootCopies
    from blade_agent.boot.running_slot import running_slot
    from blade_agent.flashing.writing import NotWritten
    from blade_agent.image.payload import PayloadRefused, opened_payload
    from blade_agent.updating.staging import Staging, image_profile

    manifest = look_at(path, key).manifest
    board = profile or image_profile(_OS_RELEASE)
    slot_path = lambda slot: Path(f"{slots}{slot.value}")  # noqa: E731
    staging = Staging(BootCopies(boot_state), slot_path, running=running_slot(_COMMAND_LINE), profile=board)
    with _saying():
        slot = staging.check(manifest)
        try:
            with Progress("written and read back", 2 * manifest.mapped_bytes) as progress:
                chunks = lambda: opened_payload(path, manifest)  # noqa: E731
                written = staging.write(manifest, chunks, wrote=progress.add, read=progress.add)
        except NotWritten as error:
            raise NotKept(f"slot {slot.value}: {error}", "The good slot is as it was. Look after the disk.") from error
        except PayloadRefused as error:
            raise NotTheImage(f"{path}: {error}", "Fetch it again; the good slot is as it was.") from error
    if as_json:
        echo_json({"slot": slot.value, "release": manifest.release, "written_bytes": written.written_bytes})
        return
    size = f"{written.written_bytes / 1e6:.0f} MB"
    click.echo(
        f"slot {slot.value}: release {manifest.release}, {size} written and read back; update apply has it tried"
    )


@update.command(name="apply")
@click.option("--tries", type=WholeRange(1, 9), default=3, show_default=True, help="How often it is tried.")
@_boot_state_option
def apply_update(*, tries: int, boot_state: Path) -> None:
    """Have what is staged tried at the next boots; with no try left the good slot is booted again.

    \b
    Example:
      blade-agent update apply --tries 3
    """
    from blade_agent.boot.boot_copies import BootCopies
    from blade_agent.boot.boot_state import apply

    with _saying():
        state = BootCopies(boot_state).change(lambda before: apply(before, tries))
    click.echo(f"slot {state.good.other.value} is tried at the next boot, {state.tries} times at most")


@update.command(name="commit")
@_boot_state_option
def commit_update(*, boot_state: Path) -> None:
    """Keep the update that runs: it becomes the good one. Only who runs from its slot can say so.

    \b
    Example:
      blade-agent update commit
    """
    from blade_agent.boot.boot_copies import BootCopies
    from blade_agent.boot.boot_state import commit
    from blade_agent.boot.running_slot import running_slot

    with _saying():
        state = BootCopies(boot_state).change(lambda before: commit(before, running_slot(_COMMAND_LINE)))
    click.echo(
        f"slot {state.good.value}, release {state.good_release}, is the good one; {_LOWEST.format(state.minimum)}"
    )


@update.command(name="rollback")
@_boot_state_option
def roll_back(*, boot_state: Path) -> None:
    """Give up what is tried, or go back from what was committed last to what was before it; from the next boot on.

    \b
    Example:
      blade-agent update rollback
    """
    from blade_agent.boot.boot_copies import BootCopies
    from blade_agent.boot.boot_state import rollback

    with _saying():
        state = BootCopies(boot_state).change(rollback)
    click.echo(f"slot {state.good.value}, release {state.good_release}, is booted next")


@contextmanager
def _saying() -> Iterator[None]:
    """Let what is wrong with the boot state, or with a move, be said. Raises UserError."""
    from blade_agent.boot.boot_copies import BootNotKept, NoBootState
    from blade_agent.boot.boot_state import UpdateRefused

    try:
        with saying("the slots cannot be used", "A board that was flashed has them; --boot-state names another place."):
            yield
    except NoBootState as error:
        raise UserError(str(error), "The boot loader boots slot a then.") from error
    except BootNotKept as error:
        raise NotKept(str(error), "Look after the disk.") from error
    except UpdateRefused as error:
        raise Refused(f"that cannot be: {error}", "`blade-agent update status` shows both slots.") from error


def _release(state: "BootState", slot: "SystemSlot") -> str:
    release = state.good_release if slot is state.good else state.other_release
    return str(release) if release else ""


def _standing(state: "BootState", slot: "SystemSlot") -> str:
    if slot is state.good:
        return "good"
    return f"{state.other.value}, {state.tries} tries left" if state.tries else state.other.value


def _now(slot: "SystemSlot", running: "SystemSlot | None", booted_next: "SystemSlot") -> str:
    words = (("runs", slot is running), ("is booted next", slot is booted_next))
    return ", ".join(word for word, holds in words if holds)


def _as_object(state: "BootState", running: "SystemSlot | None", booted_next: "SystemSlot") -> dict[str, object]:
    return {
        "running": running.value if running else None,
        "next": booted_next.value,
        "slots": {
            slot.value: {
                "release": _release(state, slot) or None,
                "standing": "good" if slot is state.good else state.other.value,
            }
            for slot in type(state.good)
        },
        "tries": state.tries,
        "minimum": str(state.minimum),
    }

"""Why a network does not come up, or does not do what it is told: types with facts.

EmulatorError
    StateFolderError    a state folder that cannot be used
    AnotherIsUp         the state folder belongs to a network that is up
    BelongsToAnother    the state folder belongs to a network that the topology does not go on with
    Unrecorded          the same, and nobody knows any more which network that is
    NotUp               nothing is up in the state folder
    NumberInUse         another network has the number, and so the addresses
    NoFreeNumber        no network number is free
    AddressInUse        somebody else listens where a part of the network would
    EnvironmentLost     the environment ended, or does not answer
    OrderRefused        the environment would not do what it was told, and said why
    StartRefused        the environment would not start, and said why
    NotServing          the network does not serve, or not in time
"""

from collections.abc import Sequence
from pathlib import Path

from chassis_emulator.errors import EmulatorError


class StateFolderError(EmulatorError):
    """A state folder that cannot be used."""

    hint = "Name a folder of yours with --state-dir or MEDIA_STATION_STATE."

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"The state folder {self.path} cannot be used: {self.reason}."


class AnotherIsUp(EmulatorError):
    """The state folder belongs to a network that is up; `changes` say how it is not the one that was asked for."""

    hint = "End it with `chassis-emulator down`, or choose another folder with --state-dir."

    def __init__(self, running: str, path: Path, pid: int | None = None, changes: Sequence[str] = ()) -> None:
        super().__init__(running, path, pid, changes)
        self.running = running
        self.path = path
        self.pid = pid
        self.changes = tuple(changes)
        if changes:
            self.hint = (
                "`chassis-emulator up` without a name goes on with it as it is;"
                " after `chassis-emulator down` it comes up as asked for."
            )

    def __str__(self) -> str:
        process = "" if self.pid is None else f" (process {self.pid})"
        if self.changes:
            return f"{self.running} is up in {self.path}{process}, and not as asked for: {'; '.join(self.changes)}."
        return f"Another network, {self.running!r}, is up in {self.path}{process}."


class BelongsToAnother(EmulatorError):
    """The state folder belongs to a network that a topology does not go on with; `losses` say why not."""

    def __init__(self, path: Path, kept: str, wanted: str, losses: Sequence[str]) -> None:
        super().__init__(path, kept, wanted, losses)
        self.path = path
        self.kept = kept
        self.wanted = wanted
        self.losses = tuple(losses)
        self.hint = (
            f"`chassis-emulator up` without a name goes on with {kept}; --state-dir names another folder;"
            " `chassis-emulator down --delete` forgets the network and its programs."
        )

    def __str__(self) -> str:
        return (
            f"The state folder {self.path} belongs to the network {self.kept!r}, with which the topology"
            f" {self.wanted!r} does not go on: {'; '.join(self.losses)}."
        )


class Unrecorded(EmulatorError):
    """The state folder belongs to a network that nobody knows any more, and a topology lacks stations of it."""

    hint = "Name the topology that the network had; `chassis-emulator down --delete` forgets it and its programs."

    def __init__(self, path: Path, wanted: str, missing: Sequence[str]) -> None:
        super().__init__(path, wanted, missing)
        self.path = path
        self.wanted = wanted
        self.missing = tuple(missing)

    def __str__(self) -> str:
        return (
            f"The state folder {self.path} belongs to a network whose network.json is damaged or gone, with stations"
            f" that the topology {self.wanted!r} does not have: {', '.join(self.missing)}."
        )


class NotUp(EmulatorError):
    """Nothing is up in the state folder."""

    hint = "Bring a network up with `chassis-emulator up`."

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = path

    def __str__(self) -> str:
        return f"No network is up in {self.path}."


class NumberInUse(EmulatorError):
    """Another network has the number, and so the addresses."""

    hint = "`chassis-emulator ls` shows the networks; `chassis-emulator up --network free` takes a number that is free."

    def __init__(self, number: int, pid: int | None) -> None:
        super().__init__(number, pid)
        self.number = number
        self.pid = pid

    def __str__(self) -> str:
        by = "another network" if self.pid is None else f"another network (process {self.pid})"
        return f"The network number {self.number}, with the addresses 127.{self.number}.x.y, is taken by {by}."


class NoFreeNumber(EmulatorError):
    """No network number is free."""

    hint = "`chassis-emulator ls` shows the networks of this machine that you can end."

    def __str__(self) -> str:
        return "No network number is free: all from 1 to 254 are taken."


class AddressInUse(EmulatorError):
    """Somebody else listens where a part of the network would."""

    hint = "End whatever listens there (`ss -ltnp` shows it), or take other addresses with `up --network free`."

    def __init__(self, address: str, process: str, log: Path, reason: str) -> None:
        super().__init__(address, process, log, reason)
        self.address = address
        self.process = process
        self.log = log
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.process} cannot listen at {self.address}: {self.reason} (its log: {self.log})."


class EnvironmentLost(EmulatorError):
    """The environment ended, or does not answer."""

    def __init__(self, log: Path, cause: str) -> None:
        super().__init__(log, cause)
        self.log = log
        self.cause = cause
        self.hint = f"Its log says more: {log}"

    def __str__(self) -> str:
        return f"The environment of the network {self.cause}."


class OrderRefused(EmulatorError):
    """The environment would not do what it was told, and said why."""

    hint = "`chassis-emulator ps` shows every slot, `chassis-emulator faults` what is broken on purpose."

    def __init__(self, order: str, reason: str) -> None:
        super().__init__(order, reason)
        self.order = order
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.reason[:1].upper()}{self.reason[1:]}." if self.reason[:1].isalpha() else f"{self.reason}."


class StartRefused(EmulatorError):
    """The environment would not start, and said why."""

    def __init__(self, sentence: str, hint: str) -> None:
        super().__init__(sentence, hint)
        self.sentence = sentence
        self.hint = hint

    def __str__(self) -> str:
        return self.sentence


class NotServing(EmulatorError):
    """The network does not serve: `missing` says what it lacks, `log` is the one to read."""

    def __init__(self, missing: Sequence[str], log: Path, last_line: str) -> None:
        super().__init__(missing, log, last_line)
        self.missing = tuple(missing)
        self.log = log
        self.last_line = last_line
        self.hint = f"Read {log}; `chassis-emulator ps` shows every process, `chassis-emulator down` ends them."

    def __str__(self) -> str:
        said = f" ({self.last_line})" if self.last_line else ""
        return f"The network does not serve: {'; '.join(self.missing)}{said}."

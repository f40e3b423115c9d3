"""Power of the main board: on, off, and how much; what was chosen survives the agent."""

import logging
from collections.abc import Sequence
from typing import Protocol

import msgspec
from msgspec import Struct

from blade_agent.hardware.profile import PowerFacts
from blade_agent.kept_octets import KeptOctets

logger = logging.getLogger(__name__)


class MainBoardPower(Protocol):
    """The main board's switch. No call waits.

    The main board shares its processor with the CBC, so it is the main board's software that is switched.
    """

    @property
    def is_on(self) -> bool:
        """Whether it is switched on."""
        ...

    def on(self) -> None:
        """Begin anew: without a role, under another boot id. Does nothing when it is on."""
        ...

    def off(self) -> None:
        """Leave the role at once and be off. Does nothing when it is off."""
        ...

    def hand_over(self) -> int:
        """Let others have what it carries and take nothing new; returns what it still carries."""
        ...

    def limit(self, share: float) -> None:
        """Stream no more than this share of the blade's capacity."""
        ...


class PowerChoice(Struct, frozen=True, kw_only=True):
    """What somebody chose."""

    on: bool = True
    level: int | None = None
    """None: the highest."""


class KeptPower:
    """The choice, kept where it survives a restart."""

    def __init__(self, kept: KeptOctets | None) -> None:
        self._kept = kept
        self.choice = _read(kept) if kept else PowerChoice()

    def choose(self, choice: PowerChoice) -> None:
        """Keep a choice, if it is another one."""
        if choice == self.choice:
            return
        self.choice = choice
        if self._kept:
            try:
                self._kept.keep(msgspec.json.encode(choice))
            except OSError as error:
                logger.warning("the chosen power state is not kept: %s", error)


class PowerLevels:
    """Power levels of a profile (PICMG 3.0, 3.9.1). Level 0 switches the main board off, any other one limits it."""

    def __init__(self, facts: PowerFacts, power: MainBoardPower, kept: KeptPower) -> None:
        self._facts = facts
        self._power = power
        self._kept = kept
        self._off_by_level = False
        self._limit()

    @property
    def levels_w(self) -> Sequence[float]:
        """See `PowerBudget`."""
        return self._facts.levels_w

    @property
    def desired_level(self) -> int:
        """See `PowerBudget`."""
        return len(self._facts.levels_w)

    def level(self) -> int:
        """See `PowerBudget`."""
        return self._chosen if self._power.is_on else 0

    def set_level(self, level: int) -> None:
        """See `PowerBudget`. A main board that was switched off otherwise stays off, whatever its level."""
        if level == 0:
            self._off_by_level = self._off_by_level or self._power.is_on
            self._kept.choose(msgspec.structs.replace(self._kept.choice, on=False))
            self._power.off()
            return
        if self._off_by_level:
            self._off_by_level = False
            self._kept.choose(msgspec.structs.replace(self._kept.choice, on=True))
            self._power.on()
        chosen = None if level == self.desired_level else level
        self._kept.choose(msgspec.structs.replace(self._kept.choice, level=chosen))
        self._limit()

    @property
    def _chosen(self) -> int:
        level = self._kept.choice.level
        return self.desired_level if level is None else min(max(level, 1), self.desired_level)

    def _limit(self) -> None:
        self._power.limit(self._facts.stream_shares[self._chosen - 1])


def _read(kept: KeptOctets) -> PowerChoice:
    """Give what was kept; what cannot be read was never chosen: a blade that is not told otherwise is on."""
    try:
        octets = kept.read()
        return msgspec.json.decode(octets, type=PowerChoice) if octets else PowerChoice()
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        logger.warning("the power state that was chosen cannot be read: %s", error)
        return PowerChoice()

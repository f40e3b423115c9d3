"""The boot options: kept for whoever starts the main board (IPMI 2.0, 28.12). They do not outlive the controller.

Nothing here starts a main board by them: on the boards there are, a boot loader chooses by itself.
"""

from typing import Final

from blade_agent.cbc.clock import Clock

SET_IN_PROGRESS: Final = 0
FLAG_CLEARING: Final = 3
ACKNOWLEDGED_BY: Final = 4
BOOT_FLAGS: Final = 5

_LENGTHS_BYTES: Final = {SET_IN_PROGRESS: 1, FLAG_CLEARING: 1, ACKNOWLEDGED_BY: 2, BOOT_FLAGS: 5}
_STAYS_WITHOUT_A_START: Final = 0x08
_FLAGS_HOLD: Final = 0x80
_LIFETIME_S: Final = 60.0
"""How long boot flags hold when the main board is not started (IPMI 2.0, table 28-14, parameter 3)."""


class BootOptions:
    """The parameters that there are, and which of them hold."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._values = {parameter: bytes(length) for parameter, length in _LENGTHS_BYTES.items()}
        self._invalid: set[int] = set()
        self._flags_set_at_s = 0.0

    @staticmethod
    def length_bytes(parameter: int) -> int | None:
        """Tell how long a parameter is; None for one that there is not."""
        return _LENGTHS_BYTES.get(parameter)

    def holds(self, parameter: int) -> bool:
        """Tell whether nobody has marked a parameter as one that does not hold."""
        return parameter not in self._invalid

    def mark(self, parameter: int, *, holds: bool) -> None:
        """Note whether a parameter holds."""
        if holds:
            self._invalid.discard(parameter)
        else:
            self._invalid.add(parameter)

    def set(self, parameter: int, data: bytes) -> None:
        """Take a parameter, as long as it has to be."""
        if parameter == ACKNOWLEDGED_BY:
            mask, bits = data
            before = self._values[parameter][1]
            data = bytes((0, before & ~mask | bits & mask))
        if parameter == BOOT_FLAGS:
            self._flags_set_at_s = self._clock.now_s()
        self._values[parameter] = data

    def get(self, parameter: int) -> bytes:
        """Give a parameter. Boot flags that nobody used in time hold no longer."""
        value = self._values[parameter]
        if parameter == BOOT_FLAGS and self._expired:
            value = self._values[parameter] = bytes((value[0] & ~_FLAGS_HOLD,)) + value[1:]
        return value

    @property
    def _expired(self) -> bool:
        if self._values[FLAG_CLEARING][0] & _STAYS_WITHOUT_A_START:
            return False
        return self._clock.now_s() - self._flags_set_at_s >= _LIFETIME_S

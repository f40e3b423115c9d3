"""What is known of a slot's line: whether it carries noise. A blade on a noisy line is asked more often. No I/O."""

from collections import deque

_FAULTS_OF_NOISE = 3
_NOISE_LASTS_S = 20.0


class LineQuality:
    """Faults on one line, as either end saw them.

    A board that is torn out may cause one or two; a line that goes on bringing them is noisy, and silence on it says
    less about its blade.
    """

    def __init__(self) -> None:
        self._last_s: deque[float] = deque(maxlen=_FAULTS_OF_NOISE)

    def note(self, faults: int, now: float) -> None:
        """Note that there were so many more."""
        self._last_s.extend([now] * min(faults, _FAULTS_OF_NOISE))

    def noisy(self, now: float) -> bool:
        """Tell whether there were several of late."""
        return len(self._last_s) == _FAULTS_OF_NOISE and now - self._last_s[0] <= _NOISE_LASTS_S

"""What blades really do: processor time of their processes, as the kernel counts it, and bytes that they say they sent.

A blade of the emulator has a process of this machine instead of a board's processors; `cores` says how many of this
machine's cores the whole board is worth.
"""

import ctypes
import time

from chassis_emulator.physics.chassis import BladeLoad
from media_network.status import ProcessStatus

_libc = ctypes.CDLL(None)
_OFF = "off"
"""State of a main board that was switched off: its CBC lives on, and draws next to nothing."""


def processor_time_s(pid: int) -> float | None:
    """User and system time of a process so far (clock_getcpuclockid(3)); None when it is gone.

    To the nanosecond, where /proc counts in hundredths of a second: an idle blade's power would waver by steps.
    """
    clock = ctypes.c_int()
    if _libc.clock_getcpuclockid(pid, ctypes.byref(clock)):
        return None
    try:
        return time.clock_gettime(clock.value)
    except OSError:
        return None


class BladeLoadMeter:
    """The load of one blade, from one look to the next."""

    def __init__(self, cores: float) -> None:
        self._cores = cores
        self._pid = 0
        self._at_s = 0.0
        self._processor_s = 0.0
        self._sent_bytes = 0
        self.sent_bps = 0.0
        """As of the last look."""
        self.cpu = 0.0

    def look(self, status: ProcessStatus, now_s: float, *, powered: bool) -> BladeLoad:
        """Give the load since the last look."""
        processor_s = processor_time_s(status.pid) if powered and status.pid else None
        if processor_s is None:
            self._pid, self.cpu, self.sent_bps = 0, 0.0, 0.0
            return BladeLoad(powered=powered)
        duration_s = now_s - self._at_s
        if status.pid != self._pid:
            # Its start is part of its load, but of which second is not known.
            self.cpu = self.sent_bps = 0.0
        elif duration_s > 0:
            self.cpu = min(1.0, (processor_s - self._processor_s) / duration_s / self._cores)
            self.sent_bps = max(0, status.sent_bytes - self._sent_bytes) * 8 / duration_s
        self._pid, self._at_s = status.pid, now_s
        self._processor_s, self._sent_bytes = processor_s, status.sent_bytes
        return BladeLoad(powered=status.state != _OFF, cpu=self.cpu, streamed_bps=self.sent_bps)

"""From which system slot this system runs: the boot loader says it on the kernel's command line."""

from pathlib import Path

from blade_agent.boot.boot_state import SystemSlot

PARAMETER = "media_station.slot"
_COMMAND_LINE_BYTES_MAX = 4096


def running_slot(command_line: Path) -> SystemSlot | None:
    """The slot; None where the system was not booted from one."""
    try:
        with command_line.open(encoding="utf-8", errors="replace") as file:
            words = file.read(_COMMAND_LINE_BYTES_MAX).split()
    except OSError:
        return None
    said = [word.partition("=")[2] for word in words if word.startswith(f"{PARAMETER}=")]
    return next((slot for slot in SystemSlot if said[-1:] == [slot.value]), None)

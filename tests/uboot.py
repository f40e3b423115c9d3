"""A real U-Boot in QEMU, on the disks of a test: it is typed to as a person would, and read."""

import re
import selectors
import subprocess
import time

from tests.patience import PATIENCE_S

FIRMWARE = "/usr/lib/u-boot/qemu_arm64/u-boot.bin"
QEMU = "qemu-system-aarch64"
_MACHINE = ("-M", "virt", "-cpu", "cortex-a53", "-m", "128", "-nographic", "-nic", "none", "-no-reboot")


class UBoot:
    """A context: it is at its prompt when it is entered, and gone when it is left."""

    def __init__(self, *disks):
        drives = [f"file={disk},format=raw,if=none,id=d{number}" for number, disk in enumerate(disks)]
        devices = [("-device", f"virtio-blk-device,drive=d{number}") for number in range(len(disks))]
        self._command = [QEMU, *_MACHINE, "-bios", FIRMWARE]
        # The machine gives the last device the first place.
        for drive, device in reversed(list(zip(drives, devices, strict=True))):
            self._command += ["-drive", drive, *device]
        self._read = ""
        self._asked = 0

    def __enter__(self):
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self._until("autoboot")
        self._type("")
        self._until("=> ")
        self.ask("virtio scan")
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.communicate(timeout=PATIENCE_S)

    def ask(self, line):
        """What it says to a line."""
        self._asked += 1
        # What is typed is echoed, without this word in one piece.
        self._type(f"{line}; echo answer''{self._asked}")
        return self._until(f"answer{self._asked}\r\n")

    def variable(self, name):
        found = re.search(rf"<{name}=(.*?)>", self.ask(f'echo "<"{name}="${{{name}}}>"'))
        return found[1]

    def _type(self, line):
        self._process.stdin.write(f"{line}\n".encode())
        self._process.stdin.flush()

    def _until(self, text):
        end = time.monotonic() + 4 * PATIENCE_S
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while text not in self._read:
                assert selector.select(end - time.monotonic()), f"no {text!r} in {self._read!r}"
                read = self._process.stdout.read1(65536)
                assert read, f"it ended without {text!r}: {self._read!r}"
                self._read += read.decode(errors="replace")
        said, _, self._read = self._read.partition(text)
        return said

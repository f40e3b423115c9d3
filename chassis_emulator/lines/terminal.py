"""Pseudo-terminals, of which a program opens one end by its path as it opens a serial port."""

import os
import termios
import tty
from dataclasses import dataclass


@dataclass(frozen=True)
class Terminal:
    """A pseudo-terminal in raw mode."""

    master: int
    slave: int
    path: str

    @classmethod
    def make(cls) -> "Terminal":
        """A new one."""
        master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(master, False)
        return cls(master, slave, os.ttyname(slave))

    def forget_unread(self) -> None:
        """Drop what the program that has it open had not read."""
        termios.tcflush(self.slave, termios.TCIFLUSH)

    def close(self) -> None:
        """Let the device vanish."""
        os.close(self.master)
        os.close(self.slave)

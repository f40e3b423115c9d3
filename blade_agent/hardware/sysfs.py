"""Attributes of sysfs under a root path: one short text a file. Every failure is an `Unknown`, never an exception.

The root is `/` on a board. Tests and the emulator give another folder, and the very same code reads it.
"""

import errno
import os
import re
from pathlib import Path

from blade_agent.hardware.reading import Unknown, Why

_TEXT_BYTES_MAX = 4096
"""Of an attribute: one page (Documentation/filesystems/sysfs.rst of the Linux kernel)."""
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_WHY = {
    errno.ENOENT: Why.ABSENT,
    errno.ENODEV: Why.ABSENT,
    errno.ENXIO: Why.ABSENT,
    errno.ENOTDIR: Why.ABSENT,
    errno.EACCES: Why.DENIED,
    errno.EPERM: Why.DENIED,
}


def read_bytes(path: Path, length_bytes_max: int) -> bytes | Unknown:
    """The first bytes of a file. A pipe or the like under the root does not hold the agent up."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        return _failure(path, error)
    try:
        parts, rest = [], length_bytes_max
        while rest and (part := os.read(descriptor, rest)):
            parts.append(part)
            rest -= len(part)
        return b"".join(parts)
    except OSError as error:
        return _failure(path, error)
    finally:
        os.close(descriptor)


def read_text(path: Path | str) -> str | Unknown:
    """An attribute without the white space around it."""
    data = _read_attribute(path)
    if isinstance(data, Unknown):
        return data
    try:
        text = data.decode().strip()
    except UnicodeDecodeError:
        return Unknown(Why.GARBLED, f"{path}: not text")
    # What is read ends up on terminals. The device tree parts its words by NUL, some attributes their lines.
    if not text.replace("\0", "").replace("\n", "").isprintable():
        return Unknown(Why.GARBLED, f"{path}: control characters")
    return text


def read_integer(path: Path | str) -> int | Unknown:
    """An attribute that is a whole number."""
    text = read_text(path)
    if isinstance(text, Unknown):
        return text
    if not _INTEGER.fullmatch(text):
        return Unknown(Why.GARBLED, f"{path}: {text[:40]!r} is not a whole number")
    return int(text)


def write_integer(path: Path, value: int) -> Unknown | None:
    """Set an attribute; None when the driver took it."""
    return write_text(path, str(value))


def write_text(path: Path, text: str) -> Unknown | None:
    """Set an attribute; None when the driver took it. A file that is not there is not made."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        return _failure(path, error)
    try:
        os.write(descriptor, f"{text}\n".encode())
    except OSError as error:
        return _failure(path, error)
    finally:
        os.close(descriptor)
    return None


def folders(path: Path) -> list[Path]:
    """The entries of a class folder, sorted by name; none if there is no such class."""
    try:
        return sorted(path.iterdir())
    except OSError:
        return []


def _read_attribute(path: Path | str) -> bytes | Unknown:
    """An attribute as it is: its driver gives all of it at the first read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        return _failure(path, error)
    try:
        return os.read(descriptor, _TEXT_BYTES_MAX)
    except OSError as error:
        return _failure(path, error)
    finally:
        os.close(descriptor)


def _failure(path: Path | str, error: OSError) -> Unknown:
    return Unknown(_WHY.get(error.errno or 0, Why.FAILED), f"{path}: {error.strerror}")

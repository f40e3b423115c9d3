"""The files of a disk, with the truth of a power cut; without time, failures and threads.

What a file holds is durable from its `sync` on, a name from `sync_folder` of its folder on. At `lose_power` a `Fate`
decides for each thing that is not: of changes of names any, a rename as a whole, as journals do it, and what is synced
takes earlier changes of the same names with it; of writes any, block by block. Every call raises OSError as a kernel
does.
"""

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from chassis_emulator.durability.content import FileContent
from chassis_emulator.durability.fate import Fate


@dataclass(eq=False)
class _Folder:
    names: dict[str, "_Node"] = field(default_factory=dict)
    durable_names: dict[str, "_Node"] = field(default_factory=dict)


_Node = FileContent | _Folder
_Name = tuple[_Folder, str]


@dataclass(frozen=True, eq=False)
class _Change:
    """A change of names that happens as a whole: some go, one comes."""

    gone: _Name | None
    new: _Name | None
    node: _Node

    def names(self) -> list[_Name]:
        return [name for name in (self.gone, self.new) if name]

    def make_durable(self) -> None:
        if self.gone:
            self.gone[0].durable_names.pop(self.gone[1], None)
        if self.new:
            self.new[0].durable_names[self.new[1]] = self.node


class PosixDisk:
    """Folders and files below a folder that is always there."""

    def __init__(self, mounted_at: Path) -> None:
        self.mounted_at = mounted_at
        self._root = _Folder()
        self._undurable: list[_Change] = []

    @property
    def used_bytes(self) -> int:
        """What the files with a name hold."""
        return sum(len(content.now) for content in _contents_below(self._root))

    def make_folder(self, folder: Path) -> tuple[Path, ...]:
        """Make a folder and those above it; gives the folders that have got a name by that: none if it is there."""
        parent = self._root
        path, grown = self.mounted_at, []
        for part in self._parts(folder):
            node = parent.names.get(part)
            if isinstance(node, FileContent):
                raise _error(errno.ENOTDIR)
            if node is None:
                node = _Folder()
                self._change(_Change(None, (parent, part), node))
                grown.append(path)
            parent, path = node, path / part
        return tuple(grown)

    def sync_folder(self, folder: Path) -> None:
        """Make the names in a folder durable, and with them the earlier changes of the same names: order is kept."""
        synced = self._folder(folder)
        names: list[_Name] = []
        durable: list[_Change] = []
        for change in reversed(self._undurable):
            if any(name[0] is synced or name in names for name in change.names()):
                names += change.names()
                durable.append(change)
        self._undurable = [change for change in self._undurable if change not in durable]
        for change in reversed(durable):
            change.make_durable()

    def list_folder(self, folder: Path) -> list[str]:
        """Names in a folder, sorted."""
        return sorted(self._folder(folder).names)

    def is_folder(self, path: Path) -> bool:
        """Whether it is one."""
        return isinstance(self._node(path), _Folder)

    def make_file(self, path: Path) -> FileContent:
        """Give what a file holds; makes an empty one if there is none."""
        parent, name = self._place(path)
        node = parent.names.get(name)
        if isinstance(node, _Folder):
            raise _error(errno.EISDIR)
        if node is None:
            node = FileContent()
            self._change(_Change(None, (parent, name), node))
        return node

    def file(self, path: Path) -> FileContent:
        """What a file holds."""
        node = self._node(path)
        if isinstance(node, _Folder):
            raise _error(errno.EISDIR)
        return node

    def walk(self) -> Iterator[tuple[Path, bytes | None]]:
        """Every path with what is there, folders before what is in them: bytes of a file, None of a folder."""
        return _walk(self.mounted_at, self._root)

    def rename(self, old: Path, new: Path) -> None:
        """Give a file or folder a new name, in place of what had it."""
        self._change(_Change(self._place(old), self._place(new), self._node(old)))

    def remove(self, path: Path) -> None:
        """Remove a file."""
        self._change(_Change(self._place(path), None, self.file(path)))

    def remove_folder(self, folder: Path) -> None:
        """Remove an empty folder."""
        if self._folder(folder).names:
            raise _error(errno.ENOTEMPTY)
        self._change(_Change(self._place(folder), None, self._folder(folder)))

    def lose_power(self, fate: Fate) -> None:
        """Be what is left."""
        for change in self._undurable:
            if fate.keeps_change():
                change.make_durable()
        self._undurable = []
        _survive(self._root, fate)

    def durable_content(self, path: Path) -> bytes | None:
        """What would be left of a file after a power cut; None if its name, or some of what it holds, may be lost."""
        node: _Node = self._root
        for part in self._parts(path):
            if isinstance(node, FileContent) or part not in node.durable_names:
                return None
            node = node.durable_names[part]
        return bytes(node.now) if isinstance(node, FileContent) and node.is_durable else None

    def _change(self, change: _Change) -> None:
        if change.gone:
            change.gone[0].names.pop(change.gone[1])
        if change.new:
            change.new[0].names[change.new[1]] = change.node
        self._undurable.append(change)

    def _parts(self, path: Path) -> tuple[str, ...]:
        return path.relative_to(self.mounted_at).parts

    def _node(self, path: Path) -> _Node:
        node: _Node = self._root
        for part in self._parts(path):
            if isinstance(node, FileContent):
                raise _error(errno.ENOTDIR)
            if part not in node.names:
                raise FileNotFoundError(errno.ENOENT, "No such file or directory", str(path))
            node = node.names[part]
        return node

    def _folder(self, path: Path) -> _Folder:
        node = self._node(path)
        if isinstance(node, FileContent):
            raise _error(errno.ENOTDIR)
        return node

    def _place(self, path: Path) -> _Name:
        return self._folder(path.parent), path.name


def _survive(folder: _Folder, fate: Fate) -> None:
    folder.names = dict(folder.durable_names)
    for node in folder.names.values():
        if isinstance(node, _Folder):
            _survive(node, fate)
        else:
            node.lose_power(fate)


def _walk(path: Path, folder: _Folder) -> Iterator[tuple[Path, bytes | None]]:
    for name, node in folder.names.items():
        if isinstance(node, _Folder):
            yield path / name, None
            yield from _walk(path / name, node)
        else:
            yield path / name, bytes(node.now)


def _contents_below(folder: _Folder) -> Iterator[FileContent]:
    """Each once, also where one has two names."""
    seen: dict[FileContent, None] = {}
    for node in folder.names.values():
        if isinstance(node, _Folder):
            seen.update(dict.fromkeys(_contents_below(node)))
        else:
            seen[node] = None
    return iter(seen)


def _error(number: int) -> OSError:
    """The error of that number, in its own class."""
    return OSError(number, os.strerror(number))

"""Segments of a program as files, before they are stored in the home media station."""

import os
from pathlib import Path
from typing import BinaryIO

from distribution_center.content.cutter import CutPiece, CutSegment, Cutter
from media_network.files import DiskFiles


def segment_path(folder: Path, number: int) -> Path:
    """Where segment `number` stands."""
    return folder / f"{number}.ts"


def index_path(folder: Path, number: int) -> Path:
    """Where its index stands."""
    return folder / f"{number}.index"


class SegmentFolder:
    """Cuts the stream that is written to it into files of `folder`, each durable, with its index, when the next one
    begins.

    Raises `CutError` and `OSError`.
    """

    def __init__(self, folder: Path, cutter: Cutter) -> None:
        folder.mkdir()
        self._folder = folder
        self._cutter = cutter
        self._file: BinaryIO | None = None

    def write(self, data: bytes) -> int:
        """Take the next bytes of the program."""
        self._take(self._cutter.feed(data))
        return len(data)

    def close(self, length_ticks: int) -> None:
        """The program has ended after so long: finish the last segment and make the folder durable."""
        self._take(self._cutter.close(length_ticks))
        DiskFiles().sync_folder(self._folder)

    def abandon(self) -> None:
        """Leave the last segment as it is."""
        if self._file is not None:
            self._file.close()

    def _take(self, cut: list[CutPiece | CutSegment]) -> None:
        for item in cut:
            if isinstance(item, CutPiece):
                if self._file is None:
                    # unbuffered: the pieces are large
                    self._file = segment_path(self._folder, item.number).open("xb", buffering=0)
                _write_all(self._file, item.data)
            elif self._file is not None:
                os.fsync(self._file.fileno())
                self._file.close()
                self._file = None
                _write_durably(index_path(self._folder, item.segment.number), item.inside.octets())


def _write_durably(path: Path, octets: bytes) -> None:
    with path.open("xb", buffering=0) as file:
        _write_all(file, memoryview(octets))
        os.fsync(file.fileno())


def _write_all(file: BinaryIO, data: memoryview) -> None:
    """An unbuffered write may take less than all, for instance where the disk ends."""
    while data:
        data = data[file.write(data) :]

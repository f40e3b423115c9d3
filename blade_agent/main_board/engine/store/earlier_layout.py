"""Segments of a release whose folders named their programs only, `<channel>/<program>/<number>.<bytes>.<sha256>.ts`."""

from contextlib import suppress
from pathlib import Path

from blade_agent.main_board.engine.store.layout import Content, content_of, cut_path, named_segment
from media_network.fields import ProgramId
from media_network.files import Files
from media_network.program import Program


def adopt(files: Files, channel: Path, program: Program) -> list[tuple[int, Content]]:
    """Move what is of this cut to where it belongs; what is not stays, and is not held. Blocks; raises OSError.

    A power cut in the middle of it leaves each segment in one of the two folders.
    """
    earlier, folder = channel / program.name, cut_path(channel, program.cut)
    files.make_folder(folder)
    files.sync_folder(channel)
    there = set(files.list_folder(folder))
    adopted = []
    for name in files.list_folder(earlier):
        number, content = named_segment(name) or (len(program.segments), None)
        if content is None or number >= len(program.segments) or content != content_of(program.segments[number]):
            continue
        if name in there:
            files.remove(earlier / name)  # it was copied here anew meanwhile
        elif files.length_bytes(earlier / name) == content.length_bytes:
            files.rename(earlier / name, folder / name)
            adopted.append((number, content))
    files.sync_folder(folder)
    with suppress(FileNotFoundError):
        files.sync_folder(earlier)
    return adopted


def remove_earlier(files: Files, channel: Path, program: ProgramId) -> None:
    """Remove the segments of a program that was withdrawn. Blocks; raises OSError."""
    folder = channel / program
    for name in files.list_folder(folder):
        if named_segment(name):
            files.remove(folder / name)
    files.sync_folder(folder)

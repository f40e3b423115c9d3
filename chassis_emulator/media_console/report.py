"""A reception in words: the table a person reads."""

from collections.abc import Iterator

from chassis_emulator.media_console.reception import ConsoleReception, ReceivedSegment

_DIGITS = 16
_VERDICTS = {None: "", True: "intact", False: "incomplete"}


def report(reception: ConsoleReception) -> str:
    """A line for each segment, and one for the whole."""
    return "\n".join((*_table(reception.segments), *_summary(reception)))


def _table(segments: tuple[ReceivedSegment, ...]) -> Iterator[str]:
    rows = [("segment", "engine", "bytes", "sha256", ""), *map(_row, segments)]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for number, engine, size, digest, verdict in rows:
        cells = (
            number.rjust(widths[0]),
            engine.ljust(widths[1]),
            size.rjust(widths[2]),
            digest.ljust(widths[3]),
            verdict,
        )
        yield "  ".join(cells).rstrip()


def _row(segment: ReceivedSegment) -> tuple[str, str, str, str, str]:
    engines = " then ".join((*segment.earlier, segment.engine)) or "-"
    size = f"{segment.bytes:,}" if segment.sha256 else "-"
    return str(segment.number), engines, size, segment.sha256[:_DIGITS] or "-", _VERDICTS[segment.intact]


def _summary(reception: ConsoleReception) -> Iterator[str]:
    hand_overs = f", {reception.hand_overs} hand-overs" if reception.hand_overs else ""
    hand_overs += f", {reception.jumps} jumps" if reception.jumps else ""
    if reception.sha256:
        yield f"{reception.program}: {reception.bytes:,} bytes{hand_overs}, sha256 {reception.sha256}"
    else:
        yield f"{reception.program}: sent to another player{hand_overs}"
    if reception.strays:
        yield f"{reception.strays} stray datagrams were not written"
    if reception.stopped:
        yield "stopped before the end"
    elif reception.intact:
        yield "intact: these are the bytes that were published"
    elif reception.intact is False:
        damaged = [str(segment.number) for segment in reception.segments if segment.intact is False]
        missing = reception.expected_bytes - reception.bytes
        yield f"INCOMPLETE: {missing:,} bytes are missing; damaged segments, by number: {', '.join(damaged) or 'none'}"

"""Tables for people."""

from collections.abc import Sequence


def format_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Left-aligned columns, two blanks apart, under their headings; no blank ends a line."""
    table = [headings, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(headings))]
    return "\n".join(
        "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in table
    )


def table_or(
    nothing: str, headings: Sequence[str], rows: Sequence[Sequence[str]], remarks: Sequence[Sequence[str]] = ()
) -> str:
    """The table, below each row its remarks, indented; where it has no rows, a sentence that says so."""
    if not rows:
        return nothing
    lines = format_table(headings, rows).splitlines()
    for at, line in zip(range(len(rows), 0, -1), reversed(remarks), strict=False):
        lines[at + 1 : at + 1] = [f"    {remark}" for remark in line]
    return "\n".join(lines)

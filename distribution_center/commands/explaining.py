"""`explain`: from where a station would copy a segment, and why."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import click

from distribution_center.commands.conversation import Talk, center_option, talk_with
from distribution_center.commands.naming import require_station
from media_network import center_names
from media_network.address import Address
from media_network.cli import UserError, WholeRange, echo_json, json_option
from media_network.http.errors import NetworkError
from media_network.messages.sources import ASK_EXPLANATION, AskExplanation, Explanation, PricedSource
from media_network.table import format_table

_HEADINGS = ("SOURCE", "ZONE", "BANDWIDTH", "DISTANCE", "COPYING", "LOAD", "MISSING", "STALE", "COST", "")


@click.command()
@click.argument("program", shell_complete=center_names.programs)
@click.argument("segment", type=WholeRange(min=0))
@click.option("--station", required=True, help="The one that would copy it.", shell_complete=center_names.stations)
@json_option("an object with `sources`, each with its `terms` and its `cost`")
@center_option
def explain(*, program: str, segment: int, station: str, as_json: bool, center: str | None, state_dir: Path) -> None:
    """Show from where a station would copy SEGMENT of PROGRAM, and why.

    Segments count from 0. The station's director is asked; it knows what copies from each source were like. Of each
    term is shown what it is about, and what it adds to the cost; the least cost is chosen.

    \b
    Example:
      distribution-center explain big-buck-bunny-1f3a 0 --station south
    """
    question = AskExplanation(program=program, segment=segment)
    explanation = talk_with(center, state_dir, lambda talk: _explained(talk, station, question))
    echo_json(explanation) if as_json else click.echo(in_words(explanation))


async def _explained(talk: Talk, station: str, question: AskExplanation) -> Explanation:
    director = Address.parse((await require_station(talk, station)).director)
    try:
        return await talk.ask(ASK_EXPLANATION, question, party=director)
    except NetworkError as error:
        raise UserError(
            f"the director of {station}: {error}", "`distribution-center stations` shows when it was heard last."
        ) from error


def in_words(explanation: Explanation) -> str:
    """A table of the sources, and sentences on what it shows."""
    sources = explanation.sources
    table = [format_table(_HEADINGS, [_cells(each) for each in sources]), ""] if sources else []
    return "\n".join([*table, *_sentences(explanation)])


def _cells(priced: PricedSource) -> tuple[str, ...]:
    source, terms = priced.source, priced.terms
    remarks = ["home"] * source.home + ["failed lately"] * priced.resting
    return (
        source.station,
        source.zone or "-",
        f"{_mbit(source.free_bps)} +{_number(terms.bandwidth)}",
        f"{source.distance_km:g} km +{_number(terms.distance)}",
        f"{_seconds(priced.copying_s)} +{_number(terms.copying)}",
        f"{source.load:.0%} +{_number(terms.load)}",
        f"+{_number(terms.missing)}",
        f"+{_number(terms.stale)}",
        _number(priced.cost),
        ", ".join(remarks),
    )


def _sentences(explanation: Explanation) -> list[str]:
    what = f"segment {explanation.segment} of {explanation.program}"
    said = []
    if explanation.engines:
        engines = "an engine" if explanation.engines == 1 else f"{explanation.engines} engines"
        said.append(f"S{what[1:]} is at {engines} of {explanation.station} already.")
    if explanation.registry_away:
        ago = "it has said nothing yet" if explanation.said_ms is None else f"this it said {_ago(explanation)}"
        said.append(f"The registry does not answer: {ago}.")
    if not explanation.sources:
        return [*said, f"No other station is known to hold {what}."]
    best, *others = explanation.sources
    if not others:
        return [*said, f"{best.source.station} is chosen: no other station is known to hold {what}."]
    return [*said, f"{best.source.station} is chosen: {why(best, others[0])}."]


def why(best: PricedSource, next_best: PricedSource) -> str:
    """Why one comes before another, by the term that speaks for it most."""
    other = next_best.source.station
    if next_best.resting and not best.resting:
        return f"{other} has failed lately, and is asked after those that have not"
    differences = {name: getattr(next_best.terms, name) - getattr(best.terms, name) for name in _REASONS}
    term = max(differences, key=differences.__getitem__)
    if differences[term] <= 0:
        return f"{other} costs as much, and comes later by its name"
    reason = _REASONS[term]
    return f"{reason.sentence.format(other=other)} ({reason.reading(best)} against {reason.reading(next_best)})"


class _Reason(NamedTuple):
    sentence: str
    reading: Callable[[PricedSource], str]


_REASONS = {
    "bandwidth": _Reason("it has more bandwidth free than {other}", lambda each: _mbit(each.source.free_bps)),
    "distance": _Reason("it is nearer than {other}", lambda each: f"{each.source.distance_km:g} km"),
    "copying": _Reason(
        "a copy from there takes less time than from {other}",
        lambda each: _seconds(each.copying_s),
    ),
    "load": _Reason("it is less loaded than {other}", lambda each: f"{each.source.load:.0%}"),
    "missing": _Reason("it holds more of the program than {other}", lambda each: f"{each.source.segments}"),
    "stale": _Reason(
        "{other} has not been heard for longer than its word holds",
        lambda each: _seconds(each.source.silent_ms / 1000),
    ),
}


def _ago(explanation: Explanation) -> str:
    return f"{_seconds((explanation.said_ms or 0) / 1000)} ago"


def _mbit(bps: int) -> str:
    return f"{bps / 1e6:.4g} Mbit/s"


def _seconds(seconds: float) -> str:
    return f"{seconds:.3g} s"


def _number(cost: float) -> str:
    return f"{cost:.3f}"

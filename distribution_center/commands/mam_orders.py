"""`mam order`, `cancel` and `orders`: what centers download for the headquarters, and how far they are."""

import asyncio
import random
import time
from collections.abc import Sequence
from pathlib import Path

import click

from distribution_center.commands.conversation import POLL_S, Talk, ask_while_waiting
from distribution_center.commands.mam_conversation import mam_option, talk_with_mam
from media_network import center_names
from media_network.cli import UserError, WholeRange, echo_json, json_option
from media_network.interrupting import INTERRUPTED_STATUS
from media_network.messages.headquarters import (
    ASK_ORDER,
    CANCEL_ORDER,
    LIST_CENTERS,
    LIST_ORDERS,
    ORDER_DOWNLOAD,
    ORDERS_SHOWN_MAX,
    AskOrder,
    CancelOrder,
    Download,
    DownloadOrder,
    DownloadStage,
    ListCenters,
    ListOrders,
    OrderDownload,
)
from media_network.presenting import present, watch_option
from media_network.table import table_or

_HEADINGS = ("ORDER", "ORDERED", "CENTER", "STAGE", "DONE", "PROGRAM", "SOURCE")
_NO_ORDERS = "Nothing has been ordered yet; `distribution-center mam order SOURCE --center NAME` does."


@click.command("order")
@click.argument("source", shell_complete=center_names.files)
@click.option(
    "--center",
    "centers",
    metavar="NAME",
    multiple=True,
    required=True,
    help="Whose home station is to have it; may be given several times.",
)
@click.option("--title", help="What people call it (default: the name of the file).")
@click.option(
    "--segment-ms",
    type=WholeRange(200, 60_000),
    default=2000,
    show_default=True,
    help="Length of a segment to aim at.",
)
@click.option("--wait/--no-wait", default=True, help="Return when every center has ended it (default), or at once.")
@json_option("an object with `order`, `downloads` and more")
@mam_option
def order_download(
    *,
    source: str,
    centers: tuple[str, ...],
    title: str | None,
    segment_ms: int,
    wait: bool,
    as_json: bool,
    mam: str | None,
    state_dir: Path,
) -> None:
    """Have centers download SOURCE, each to its home media station.

    SOURCE is a URL of a provider of each of these centers, or a file of their machines. The order stands until every
    center has ended it: one that is away gets it when it is back.

    \b
    Examples:
      distribution-center mam order https://vod.example/films/bunny.mp4 --center east --center west
      distribution-center mam order /films/bunny.mp4 --center east --no-wait
    """
    order = OrderDownload(
        order=f"{random.SystemRandom().getrandbits(64):016x}",
        source=source if "://" in source else str(Path(source).absolute()),
        centers=tuple(dict.fromkeys(centers)),
        title=title,
        segment_ms=segment_ms,
    )
    try:
        outcome = talk_with_mam(mam, state_dir, lambda talk: _order(talk, order, wait=wait))
    except KeyboardInterrupt:
        click.echo("\nThe order stays, if it was taken; `distribution-center mam orders` shows it.", err=True)
        raise SystemExit(INTERRUPTED_STATUS) from None
    if as_json:
        echo_json(outcome)
    else:
        click.echo(_order_table([outcome], time.time()))
    if any(each.stage in (DownloadStage.FAILED, DownloadStage.CANCELLED) for each in outcome.downloads):
        raise SystemExit(1)


@click.command("cancel")
@click.argument("order")
@click.option(
    "--center",
    "centers",
    metavar="NAME",
    multiple=True,
    help="Only at this center; may be given several times (default: at all of the order's).",
)
@click.option("--wait/--no-wait", default=True, help="Return when every center has ended it (default), or at once.")
@json_option("an object with `order`, `downloads` and more")
@mam_option
def cancel_order(
    *, order: str, centers: tuple[str, ...], wait: bool, as_json: bool, mam: str | None, state_dir: Path
) -> None:
    """Take ORDER back. Nothing of it stays, but at a center where it was done already.

    A center that is away hears of it when it is back: until then the order is `cancelling` there.

    \b
    Examples:
      distribution-center mam cancel 5f1c09ab22de7781
      distribution-center mam cancel 5f1c09ab22de7781 --center west --no-wait
    """
    wish = CancelOrder(order=order, centers=tuple(dict.fromkeys(centers)))
    try:
        outcome = talk_with_mam(mam, state_dir, lambda talk: _cancel(talk, wish, wait=wait))
    except KeyboardInterrupt:
        click.echo("\nIt stays taken back, if that was heard; `distribution-center mam orders` shows it.", err=True)
        raise SystemExit(INTERRUPTED_STATUS) from None
    if as_json:
        echo_json(outcome)
        return
    click.echo(_order_table([outcome], time.time()))
    for each in outcome.downloads:
        if each.stage is DownloadStage.DONE and (not centers or each.center in centers):
            removes = f"distribution-center withdraw {each.program} --center {each.center}"
            click.echo(f"{each.center} had done it before; `{removes}` removes the program.")


@click.command("orders")
@click.option("--limit", type=WholeRange(1, 10_000), default=20, show_default=True, help="No more than so many.")
@watch_option
@json_option("a list of objects")
@mam_option
def list_orders(*, limit: int, watch: bool, as_json: bool, mam: str | None, state_dir: Path) -> None:
    """List the orders, the latest first, and how far each center is.

    \b
    Example:
      distribution-center mam orders --watch
    """
    present(
        lambda: talk_with_mam(mam, state_dir, lambda talk: _orders(talk, limit)),
        lambda orders: _order_table(orders, time.time()),
        as_json=as_json,
        watch=watch,
    )


async def _order(talk: Talk, order: OrderDownload, *, wait: bool) -> DownloadOrder:
    """Raises UserError: there is no such center."""
    known = [row.center for row in (await talk.ask(LIST_CENTERS, ListCenters())).centers]
    for center in order.centers:
        if center not in known:
            raise UserError(f"there is no center {center!r}", f"Centers: {', '.join(known)}.")
    outcome = await talk.ask(ORDER_DOWNLOAD, order)
    said: dict[str, str] = {}
    while wait and not outcome.is_over:
        for each in outcome.downloads:
            _say_once(said, each)
        await asyncio.sleep(POLL_S)
        outcome = await ask_while_waiting(talk, ASK_ORDER, AskOrder(order.order))
    return outcome


async def _cancel(talk: Talk, wish: CancelOrder, *, wait: bool) -> DownloadOrder:
    outcome = await talk.ask(CANCEL_ORDER, wish)
    said: dict[str, str] = {}
    while wait and any(each.stage is DownloadStage.CANCELLING for each in outcome.downloads):
        for each in outcome.downloads:
            _say_once(said, each)
        await asyncio.sleep(POLL_S)
        outcome = await ask_while_waiting(talk, ASK_ORDER, AskOrder(wish.order))
    return outcome


def _say_once(said: dict[str, str], download: Download) -> None:
    """Tell on the error output what is otherwise than it was."""
    line = download.obstacle or download.stage.value
    if said.get(download.center) != line:
        said[download.center] = line
        click.echo(f"{download.center}: {line}", err=True)


async def _orders(talk: Talk, limit: int) -> list[DownloadOrder]:
    found: list[DownloadOrder] = []
    more = True
    while more and len(found) < limit:
        before = found[-1].number if found else None
        page = await talk.ask(LIST_ORDERS, ListOrders(before=before, limit=min(ORDERS_SHOWN_MAX, limit - len(found))))
        found += page.orders
        more = page.more
    return found


def _order_table(orders: Sequence[DownloadOrder], now_s: float) -> str:
    rows = [(order, each) for order in orders for each in order.downloads]
    cells = [_download_cells(order, each, now_s) for order, each in rows]
    return table_or(_NO_ORDERS, _HEADINGS, cells, [[each.obstacle] if each.obstacle else [] for _, each in rows])


def _download_cells(order: DownloadOrder, download: Download, now_s: float) -> tuple[str, ...]:
    ago_min = max(0.0, now_s - order.ordered_at_ms / 1000) / 60
    done = "" if download.stage.is_final else f"{download.fraction:.0%}"
    return (
        *(order.order, f"{ago_min:.0f} min ago", download.center, download.stage.value, done),
        *(download.program or "", order.source),
    )

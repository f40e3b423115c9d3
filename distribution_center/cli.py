"""`distribution-center`: run one, and order it to ingest, distribute and publish programs."""

import click

from distribution_center.commands.authentication import auth
from distribution_center.commands.billing import billing, reconcile
from distribution_center.commands.deletions import delete, deletions, dismiss
from distribution_center.commands.explaining import explain
from distribution_center.commands.headquarters import mam
from distribution_center.commands.ingests import cancel_ingest, ingest, ingests, watch_ingest
from distribution_center.commands.metadata import metadata
from distribution_center.commands.programs import distribute, programs, publish, stations, withdraw
from distribution_center.commands.registry import registry
from distribution_center.commands.serving import nms, run
from distribution_center.commands.subscribers import subscribers
from media_network.command_group import Program, add_completion


@click.group(cls=Program)
@click.version_option(package_name="media-station")
def main() -> None:
    """A distribution center: knows where every segment is, and brings programs to the stations.

    \b
    Example:
      distribution-center ingest film.mp4
      distribution-center distribute film-5f1c09ab north
      distribution-center publish film-5f1c09ab
    """


_INGESTS = (ingest, ingests, watch_ingest, cancel_ingest)
_PROGRAMS = (distribute, publish, delete, deletions, dismiss, withdraw, programs)
for command in (
    run,
    auth,
    subscribers,
    billing,
    reconcile,
    nms,
    mam,
    registry,
    metadata,
    *_INGESTS,
    *_PROGRAMS,
    stations,
    explain,
):
    main.add_command(command)
add_completion(main, "distribution-center")

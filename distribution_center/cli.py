"""`distribution-center`: run one, and order it to ingest, distribute and publish programs."""

import click

from distribution_center.commands.ingests import cancel_ingest, ingest, ingests, watch_ingest
from distribution_center.commands.metadata import metadata
from distribution_center.commands.programs import distribute, programs, publish, stations, withdraw
from distribution_center.commands.serving import nms, run
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
for command in (run, nms, metadata, *_INGESTS, distribute, publish, withdraw, programs, stations):
    main.add_command(command)
add_completion(main, "distribution-center")

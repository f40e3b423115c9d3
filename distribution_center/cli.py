"""`distribution-center`: run one, and order it to ingest, distribute and publish programs."""

import click

from distribution_center.commands.ingests import cancel_ingest, ingest, ingests, watch_ingest
from distribution_center.commands.metadata import metadata
from distribution_center.commands.programs import distribute, programs, publish, stations, withdraw
from distribution_center.commands.serving import nms, run


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="media-station")
def main() -> None:
    """A distribution center: knows where every segment is, and brings programs to the stations."""


_INGESTS = (ingest, ingests, watch_ingest, cancel_ingest)
for command in (run, nms, metadata, *_INGESTS, distribute, publish, withdraw, programs, stations):
    main.add_command(command)

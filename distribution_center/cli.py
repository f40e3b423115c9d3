"""`distribution-center`: run one, and order it to ingest, distribute and publish programs."""

import click

from media_network.command_group import Program, add_completion
from media_network.deferred_commands import Deferred

_COMMANDS = {
    "run": Deferred("distribution_center.commands.serving:run", "Run a distribution center."),
    "auth": Deferred(
        "distribution_center.commands.authentication:auth",
        "The authentication server: subscribers log in there, and their consoles get tokens.",
    ),
    "subscribers": Deferred(
        "distribution_center.commands.subscribers:subscribers",
        "Subscriber management and billing: run them, and say who may see what.",
    ),
    "billing": Deferred(
        "distribution_center.commands.billing:billing",
        "Subscriber billing: tariffs, what was used, and invoices.",
    ),
    "reconcile": Deferred(
        "distribution_center.commands.billing:reconcile",
        "Compare what engines have counted of the bytes they sent with the records in the ledger.",
    ),
    "nms": Deferred(
        "distribution_center.commands.serving:nms",
        "The network management system: sees every station, chassis and blade.",
    ),
    "mam": Deferred(
        "distribution_center.commands.headquarters:mam",
        "The media asset management of the headquarters: the catalogue of several centers, and orders to them.",
    ),
    "pki": Deferred(
        "distribution_center.commands.pki:pki",
        "Who is who between machines: an authority in a folder, and the certificates that it gives.",
    ),
    "registry": Deferred(
        "distribution_center.commands.registry:registry",
        "The registry as a file: for a copy, or to move it from SQLite to PostgreSQL and back.",
    ),
    "metadata": Deferred(
        "distribution_center.commands.metadata:metadata",
        "Show what is understood of the metadata in FILE, and what is not.",
    ),
    "ingest": Deferred(
        "distribution_center.commands.ingests:ingest",
        "Bring a program from SOURCE to the home media station: a film, or a package of its metadata and it.",
    ),
    "ingests": Deferred(
        "distribution_center.commands.ingests:ingests",
        "List the ingests that are under way, and those that ended of late.",
    ),
    "watch-ingest": Deferred(
        "distribution_center.commands.ingests:watch_ingest",
        "Follow INGEST to its end, as `ingest` does that ordered it.",
    ),
    "cancel-ingest": Deferred("distribution_center.commands.ingests:cancel_ingest", "End INGEST."),
    "distribute": Deferred(
        "distribution_center.commands.programs:distribute",
        "Bring PROGRAM to STATIONS, and keep it there.",
    ),
    "publish": Deferred(
        "distribution_center.commands.programs:publish",
        "Start the service of PROGRAM at all stations, now or at a time.",
    ),
    "delete": Deferred(
        "distribution_center.commands.deletions:delete",
        "Delete PROGRAM at a station, as soon as nobody there receives or copies it.",
    ),
    "deletions": Deferred(
        "distribution_center.commands.deletions:deletions",
        "List the deletions that are not carried out, and why.",
    ),
    "dismiss": Deferred(
        "distribution_center.commands.deletions:dismiss",
        "Strike a denied deletion of PROGRAM off the list: `deletions` shows it no more.",
    ),
    "withdraw": Deferred(
        "distribution_center.commands.programs:withdraw",
        "Remove PROGRAM from everywhere, the home media station too.",
    ),
    "programs": Deferred(
        "distribution_center.commands.programs:programs",
        "List the programs by name, and where they are.",
    ),
    "stations": Deferred(
        "distribution_center.commands.programs:stations",
        "List the media stations that are registered.",
    ),
    "explain": Deferred(
        "distribution_center.commands.explaining:explain",
        "Show from where a station would copy SEGMENT of PROGRAM, and why.",
    ),
}


@click.group(cls=Program, deferred=_COMMANDS)
@click.version_option(package_name="media-station")
def main() -> None:
    """A distribution center: knows where every segment is, and brings programs to the stations.

    \b
    Example:
      distribution-center ingest film.mp4
      distribution-center distribute film-5f1c09ab north
      distribution-center publish film-5f1c09ab
    """


add_completion(main, "distribution-center")

"""Every durable file of the project: who writes it, how it is written, and how it is read after a power cut.

A durable file more is a line in `DURABLE`: `write` runs the real writer on a folder, and says of each fact when it
begins and when it is acknowledged; `look` opens the folder as the next process would, and gives the fact that it finds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.power_cut import center, engine, small_files
from tests.power_cut.aftermath import Told
from tests.power_cut.recording import Record


def replaced(told: Told, found: object) -> bool:
    """The last fact, or the one that was under way."""
    return found in told.allowed


def replaced_or_gone(told: Told, found: object) -> bool:
    """The last fact; while another one is under way that one, or none."""
    return found in told.allowed or (found is None and len(told.begun) > len(told.acknowledged))


def counted_on(told: Told, found: object) -> bool:
    """A count that never gives a number twice: beyond the last, and not far."""
    return (told.last or 0) < found <= len(told.begun) + 1


def whole(told: Told, found: object) -> bool:
    """Any fact that was begun: nothing was acknowledged as durable."""
    return found in (None, *told.begun)


@dataclass(frozen=True)
class Durable:
    name: str
    modules: tuple[str, ...]
    """Which write it."""
    write: Callable[[Path, Record], None]
    look: Callable[[Path], object]
    holds: Callable[[Told, object], bool] = replaced
    drawn: int = 4
    """States drawn after each operation, beside the certain ones."""


DURABLE = (
    Durable("small file", ("media_network/durable_file.py",), small_files.write_values, small_files.read_value),
    Durable(
        "small file without the one before",
        ("media_network/durable_file.py",),
        small_files.write_values_alone,
        small_files.read_value_alone,
    ),
    Durable(
        "epoch",
        ("blade_agent/chassis_manager/keeping/epoch_file.py",),
        small_files.write_epochs,
        small_files.look_at_epoch,
    ),
    Durable(
        "journal",
        ("blade_agent/chassis_manager/keeping/keeper.py",),
        small_files.write_journals,
        small_files.look_at_journal,
    ),
    Durable(
        "event log, inventory and power of a board",
        ("blade_agent/profiled_board/kept_file.py",),
        small_files.write_octets,
        small_files.look_at_octets,
    ),
    Durable(
        "boot state",
        ("blade_agent/boot/boot_copies.py",),
        small_files.write_boot_states,
        small_files.read_boot_state,
    ),
    Durable(
        "a disk that is flashed",
        ("blade_agent/flashing/open_disk.py", "blade_agent/flashing/writing.py"),
        small_files.flash_disk,
        small_files.look_at_flashed,
        replaced_or_gone,
    ),
    Durable(
        "updates of a system",
        ("blade_agent/boot/boot_copies.py", "blade_agent/flashing/writing.py"),
        small_files.write_updates,
        small_files.read_update,
        replaced_or_gone,
        drawn=2,
    ),
    Durable(
        "SNMP engine",
        ("media_network/snmp/engine_file.py",),
        small_files.start_engines,
        small_files.start_again,
        counted_on,
    ),
    Durable(
        "catalogue of a blade",
        ("blade_agent/main_board/catalogue_file.py",),
        engine.write_catalogue,
        engine.read_catalogue,
    ),
    Durable("segment tables of a blade", ("blade_agent/main_board/parts.py",), engine.write_tables, engine.read_tables),
    Durable(
        "keys of the authentication server on a blade",
        ("blade_agent/main_board/issuer_keys.py",),
        small_files.write_issuer_keys,
        small_files.read_issuer_keys,
    ),
    Durable(
        "what a blade knows of subscribers, and has to deliver to billing",
        ("blade_agent/main_board/accounts/kept_rows.py",),
        small_files.write_rows,
        small_files.read_rows,
    ),
    Durable(
        "segment store",
        (
            "blade_agent/main_board/engine/store/layout.py",
            "blade_agent/main_board/engine/store/reception.py",
        ),
        engine.write_segments,
        engine.read_segments,
    ),
    Durable(
        "segments of an earlier release",
        ("blade_agent/main_board/engine/store/earlier_layout.py",),
        engine.write_earlier_segments,
        engine.read_earlier_segments,
    ),
    Durable(
        "registry",
        ("distribution_center/registry/sqlite_connection.py", "distribution_center/registry/sqlite_repository.py"),
        center.write_registry,
        center.read_registry,
        drawn=2,
    ),
    Durable(
        "catalogue and orders of a headquarters",
        ("distribution_center/headquarters/store.py",),
        center.write_headquarters,
        center.read_headquarters,
        drawn=2,
    ),
    Durable(
        "history of a network management system",
        ("distribution_center/network_management/history.py",),
        center.write_history,
        center.read_history,
        whole,
        drawn=2,
    ),
    Durable(
        "subscribers and keys of an authentication server",
        ("distribution_center/authentication/subscriber_file.py",),
        center.write_subscribers,
        center.read_subscribers,
        drawn=2,
    ),
    Durable(
        "subscribers and ledger",
        ("distribution_center/accounts/database.py",),
        center.write_accounts,
        center.read_accounts,
        drawn=2,
    ),
    Durable("ingests", ("distribution_center/content/ingest_jobs.py",), center.write_ingests, center.read_ingests),
    Durable(
        "spool",
        ("distribution_center/content/ingest.py", "distribution_center/content/segment_folder.py"),
        center.write_spool,
        center.read_spool,
        drawn=2,
    ),
    Durable(
        "download",
        ("distribution_center/content/providers/download.py",),
        center.write_download,
        center.finish_download,
        drawn=2,
    ),
)

NOT_DURABLE = {
    "media_network/files.py": "it is what the others write by",
    "media_network/sqlite_file.py": "it sets aside, and writes nothing that was acknowledged",
    "blade_agent/main_board/catalogue.py": "it makes the folder; what is in it, others write",
    "blade_agent/main_board/earlier_catalogue.py": "it reads, and removes what is kept otherwise by then",
    "media_network/secret_file.py": "of users that are made anew, and of a console that logs in again",
    "media_network/new_file.py": "begun for a person, who is told when it is there: whole, by a link",
    "media_network/status.py": "about a process that would not survive either",
    "blade_agent/main_board/engine/store/io_channel.py": "a probe whether the disk works, removed at once",
    "distribution_center/commands/registry.py": "a copy that an operator orders, of what stays where it is",
    "distribution_center/network_management/run.py": "a token that is made anew",
    "chassis_emulator/network/state_folder.py": "of an emulated network, made anew: docs/operations/state.md",
    "chassis_emulator/faults/hung_channels.py": "passes on what a channel is asked, later",
    "chassis_emulator/network/deleting.py": "moves aside what is deleted next",
    "chassis_emulator/physics/attributes.py": "stands for sysfs, which is no disk",
    "chassis_emulator/processes/child.py": "a log that is turned",
    "chassis_emulator/simulation/disk.py": "a simulated disk",
    "chassis_emulator/simulation/sqlite_vfs.py": "SQLite on a simulated disk",
    "chassis_emulator/simulation/stage.py": "folders of a simulated disk",
}
"""Modules that rename, sync or replace files, and are not in the table; and why."""

"""What to try in a network that is up: lines that can be pasted, into a browser or into a shell."""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import Struct

from media_network.identity.settings import AUTHORITY, CREDENTIALS

ENTITIES = "1.3.6.1.2.1.47.1.1.1.1.7"
"""entPhysicalName of ENTITY-MIB."""


class PsRow(Struct, kw_only=True):
    """What the hints need of a row of `ps --json`."""

    name: str
    station: str | None
    slot: int | None
    role: str
    control: str | None
    media: str | None
    snmp: str | None
    ipmi: str | None
    serial: str | None


_CURL_FILES = (("--cacert", AUTHORITY), ("--cert", CREDENTIALS))


class Surroundings(NamedTuple):
    """Where the lines will be pasted."""

    commands: Path | None
    """The folder of our commands, if a shell would not find them."""
    state: Path | None
    """The state folder, if the commands would take another."""
    nms_settings: Path
    """A file for the settings of a network management system."""
    nms_port: int
    """Where its page can be."""
    identity: Path | None = None
    """The folder of the operator's identity; None: machines ask for none."""


class Scene(NamedTuple):
    """What there is to play, poll and break."""

    program: str
    station: str
    panel: str
    rows: list[PsRow]
    users: dict[str, Any]
    """As `credentials --json` has them."""


class Hint(NamedTuple):
    """A line to paste, and what it is for."""

    text: str
    what: str


def browser_hints(scene: Scene) -> list[Hint]:
    """What to open in a browser, now."""
    service = _service(scene)
    return [
        Hint(f"http://{service}/", "the programs of the station, to watch; it shows which blade sends what"),
        Hint(scene.panel, "every chassis, to look at and to pull, switch and break things"),
        Hint(f"http://{service}/openapi.json", "what consoles and players can ask of the station"),
    ]


def shell_hints(scene: Scene, surroundings: Surroundings) -> list[Hint]:
    """What to type in a shell; the first lines make the others work, the last one ends the network."""
    return [
        *_preparations(surroundings),
        *_playing(scene),
        *_polling(scene, surroundings.identity),
        *_managing(surroundings),
        *_breaking(scene),
        Hint("chassis-emulator down", "the end; its state stays for the next `up`"),
    ]


def as_text(hints: list[Hint]) -> str:
    """A line each, with what it is for in the line above: a comment to a shell, too."""
    return "\n".join(f"  # {hint.what}\n  {hint.text}" for hint in hints)


def _preparations(surroundings: Surroundings) -> Iterator[Hint]:
    if surroundings.commands:
        yield Hint(f"export PATH={shlex.quote(str(surroundings.commands))}:$PATH", "where the commands are")
    if surroundings.state:
        yield Hint(
            f"export MEDIA_STATION_STATE={shlex.quote(str(surroundings.state))}", "which network the commands speak to"
        )


def _playing(scene: Scene) -> Iterator[Hint]:
    yield Hint(f"ffplay http://{_service(scene)}/programs/{scene.program}/playlist.m3u8", "play by HLS")
    yield Hint(
        f"media-console play {scene.program} --station {scene.station} --by push --output received.ts",
        "play by push, and see which engine sends what",
    )


def _polling(scene: Scene, identity: Path | None) -> Iterator[Hint]:
    director = _one_of(scene, "director")
    yield Hint("chassis-emulator ps --watch", "every process, until Ctrl-C")
    asking = f"curl {_certified(identity)}://{director.control}/director/station"
    yield Hint(asking, "the station as its director sees it")
    yield Hint(f"ipmitool -I serial-basic -D {director.serial}:115200 mc info", "a blade's CBC, by its service port")
    manager = next(row for row in scene.rows if row.station == scene.station and row.ipmi)
    if ipmi := scene.users.get("ipmi"):
        host, _, port = str(manager.ipmi).partition(":")
        login = f"-U {ipmi['user']} -P {ipmi['password']}"
        yield Hint(f"ipmitool -I lanplus -C 17 -H {host} -p {port} {login} sdr elist", "the whole chassis, by IPMI")
    if reader := scene.users.get("snmp", {}).get("read_only"):
        auth = f"-a {reader['auth_protocol']} -A {reader['auth_password']}"
        privacy = f"-x {reader['priv_protocol']} -X {reader['priv_password']}"
        yield Hint(
            f"snmpwalk -v3 -l authPriv -u {reader['user']} {auth} {privacy} {manager.snmp} {ENTITIES}",
            "the same, by SNMP",
        )


def _certified(identity: Path | None) -> str:
    """How a person asks a machine, up to the address."""
    if identity is None:
        return "-d '{}' http"
    files = (f"{option} {shlex.quote(str(identity / name))}" for option, name in _CURL_FILES)
    return f"{' '.join(files)} -d '{{}}' https"


def _managing(surroundings: Surroundings) -> Iterator[Hint]:
    settings = shlex.quote(str(surroundings.nms_settings))
    yield Hint(
        f"chassis-emulator nms-settings --output {settings} --http-port {surroundings.nms_port}",
        "settings of a network management system",
    )
    yield Hint(
        f"distribution-center nms run --settings {settings}",
        f"the system itself, until Ctrl-C; its page will be at http://127.0.0.1:{surroundings.nms_port}/",
    )


def _breaking(scene: Scene) -> Iterator[Hint]:
    engine = _one_of(scene, "engine")
    yield Hint(f"chassis-emulator pull {engine.name}", "take a blade out; viewers are handed over before")
    yield Hint(f"chassis-emulator insert {engine.name}", "and put it back")


def _service(scene: Scene) -> str:
    """Where the station serves players, whichever blade directs."""
    return next(row.media or "" for row in scene.rows if row.station == scene.station and row.slot is None)


def _one_of(scene: Scene, role: str) -> PsRow:
    """A blade of the station in this role, or in any where it has none."""
    blades = [row for row in scene.rows if row.station == scene.station and row.slot is not None]
    return next((row for row in blades if row.role == role), blades[0])

"""Who an SNMP engine is, on disk: its id is made once, and its starts are counted before it says a word.

An engine that forgot either could be sent messages again that were meant for it earlier (RFC 3414, 2.2). Every function
here blocks and belongs in an executor.
"""

import os
from pathlib import Path
from random import Random

import msgspec
from msgspec import Struct

from media_network.snmp.message import MAX_ENGINE_ID_OCTETS
from media_network.snmp.usm import MAX_BOOTS, EngineIdentity

FILE_NAME = "snmp-engine.json"
_NET_SNMP = (0x8000_0000 | 8072).to_bytes(4, "big")
"""Under whose enterprise number our modules are, until one is assigned."""
_FORMAT_OCTETS = 5
_RANDOM_OCTETS = 12


class EngineFileError(Exception):
    """A file that holds no engine identity."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} holds no SNMP engine identity ({reason}); remove it to be a new engine to managers")
        self.path = path
        self.reason = reason


class _Kept(Struct, frozen=True, forbid_unknown_fields=True):
    engine_id: str
    boots: int


def start_engine(folder: Path, rng: Random) -> EngineIdentity:
    """Count a start, and give the engine's identity; on return it survives a power cut.

    The number of starts stays at its most, and an engine that has come so far takes no authentic message any more
    (RFC 3414, 2.2.2).

    Raises EngineFileError: something else is in the file; OSError: it cannot be read or kept.
    """
    path = folder / FILE_NAME
    kept = _read(path)
    if kept is None:
        engine_id = _NET_SNMP + bytes((_FORMAT_OCTETS,)) + rng.randbytes(_RANDOM_OCTETS)
        identity = EngineIdentity(engine_id, 1)
    else:
        identity = EngineIdentity(bytes.fromhex(kept.engine_id), min(kept.boots + 1, MAX_BOOTS))
    _keep(path, _Kept(identity.engine_id.hex(), identity.boots))
    return identity


def _read(path: Path) -> _Kept | None:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        kept = msgspec.json.decode(content, type=_Kept)
        engine_id = bytes.fromhex(kept.engine_id)
    except (msgspec.MsgspecError, ValueError) as error:
        raise EngineFileError(path, str(error)) from error
    if not (5 <= len(engine_id) <= MAX_ENGINE_ID_OCTETS and 0 < kept.boots <= MAX_BOOTS):
        raise EngineFileError(path, "out of range")
    return kept


def _keep(path: Path, kept: _Kept) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".new")
    with temporary.open("wb") as file:
        file.write(msgspec.json.encode(kept) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)

"""Who an SNMP engine is, on disk: its id is made once, and its starts are counted before it says a word.

An engine that forgot either could be sent messages again that were meant for it earlier (RFC 3414, 2.2). Every function
here blocks and belongs in an executor.
"""

import logging
from pathlib import Path
from random import Random

import msgspec
from msgspec import Struct

from media_network.durable_file import DurableFile, Origin
from media_network.os_trouble import in_words
from media_network.snmp.message import MAX_ENGINE_ID_OCTETS
from media_network.snmp.usm import MAX_BOOTS, EngineIdentity

logger = logging.getLogger(__name__)

FILE_NAME = "snmp-engine.json"
_NET_SNMP = (0x8000_0000 | 8072).to_bytes(4, "big")
"""Under whose enterprise number our modules are, until one is assigned."""
_FORMAT_OCTETS = 5
_RANDOM_OCTETS = 12


class _Kept(Struct, frozen=True, forbid_unknown_fields=True):
    engine_id: str
    boots: int


def start_engine(folder: Path, rng: Random) -> EngineIdentity:
    """Count a start, and give the engine's identity; on return it survives a power cut.

    The number of starts stays at its most, and an engine that has come so far takes no authentic message any more
    (RFC 3414, 2.2.2). An engine whose file is damaged counts the start that is lost with it; one of which nothing is
    left is a new one to managers, who find out about it as they did before. So is one whose start cannot be kept, until
    the next one that can: a full disk is when somebody has to be told of it, and of an engine that was there never no
    message can be sent again.
    """
    try:
        return _counted(DurableFile(folder / FILE_NAME, _parse, rebuilt="managers have to do with a new engine"), rng)
    except OSError as error:
        logger.error(  # noqa: TRY400 -- the sentence says it all
            "that SNMP has started cannot be kept: %s; managers have to do with a new engine until the next start",
            in_words(error),
        )
        return _new_engine(rng)


def _counted(file: DurableFile[EngineIdentity], rng: Random) -> EngineIdentity:
    """Raises OSError: it cannot be kept."""
    found = file.read()
    if found.value is None:
        identity = _new_engine(rng)
    else:
        starts = 2 if found.origin is Origin.BEFORE else 1
        identity = EngineIdentity(found.value.engine_id, min(found.value.boots + starts, MAX_BOOTS))
    file.keep(msgspec.json.encode(_Kept(identity.engine_id.hex(), identity.boots)) + b"\n")
    return identity


def _new_engine(rng: Random) -> EngineIdentity:
    return EngineIdentity(_NET_SNMP + bytes((_FORMAT_OCTETS,)) + rng.randbytes(_RANDOM_OCTETS), 1)


def _parse(octets: bytes) -> EngineIdentity:
    kept = msgspec.json.decode(octets, type=_Kept)
    identity = EngineIdentity(bytes.fromhex(kept.engine_id), kept.boots)
    if not (5 <= len(identity.engine_id) <= MAX_ENGINE_ID_OCTETS and 0 < kept.boots <= MAX_BOOTS):
        raise ValueError("out of range")
    return identity

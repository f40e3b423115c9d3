"""SNMPv3 messages (RFC 3412, 6) and the user-based security model's parameters in them (RFC 3414, 2.4)."""

from functools import lru_cache

from msgspec import Struct

from media_network.snmp import ber

VERSION_2C = 1
VERSION_3 = 3
USER_SECURITY = 3

AUTH_FLAG, PRIV_FLAG, REPORTABLE_FLAG = 1, 2, 4
MIN_MAX_SIZE = 484
MAX_ENGINE_ID_OCTETS = 32
MAX_NAME_OCTETS = 32
_SALT_OCTETS = 8


class Header(Struct, gc=False):
    """The global data of a message, and where its parts lie in the datagram."""

    message_id: bytes
    """Tag, length and content, to be given back as they came."""
    max_size: int
    """How long a response may be."""
    flags: int
    security_model: int
    parameters: int
    """Start of the security parameters."""
    data: int
    """Their stop: start of the scoped PDU, or of what it is encrypted to."""
    end: int
    id_at: int
    """Start of the message id, with its tag."""
    id: int
    """Start of its content."""
    id_stop: int


class Parameters(Struct, gc=False):
    """Security parameters. `code` and `code_stop` say where in the datagram the authentication code lies."""

    engine_id: bytes
    boots: int
    time: int
    user: bytes
    code: int
    code_stop: int
    salt: bytes
    time_at: int
    """Start of the content."""
    time_stop: int
    salt_at: int


class ScopedPdu(Struct, gc=False):
    """Whom the PDU is for, and where it lies."""

    context_engine_id: bytes
    context: bytes
    start: int
    stop: int


_GLOBAL_DATA = bytes((ber.INTEGER, ber.INTEGER, ber.OCTET_STRING, ber.INTEGER))
_PARAMETERS = bytes((ber.OCTET_STRING, ber.INTEGER, ber.INTEGER, ber.OCTET_STRING, ber.OCTET_STRING, ber.OCTET_STRING))


def read_header(octets: bytes, at: int, end: int) -> Header:
    """Read from behind the version. Raises BerError."""
    first, stop = ber.read_expected(octets, at, end, ber.SEQUENCE)
    id_start, id_stop, size, size_stop, flags, flags_stop, model, _ = ber.read_fields(octets, first, stop, _GLOBAL_DATA)
    max_size = ber.signed(octets[size:size_stop])
    security_model = ber.signed(octets[model:stop])
    id_good = 0 < id_stop - id_start <= 4 and octets[id_start] < 0x80
    if flags_stop - flags != 1 or not id_good or max_size < MIN_MAX_SIZE or security_model < 1:
        raise ber.BerError("global data out of range")
    parameters, data = ber.read_expected(octets, stop, end, ber.OCTET_STRING)
    return Header(
        octets[first:id_stop],
        max_size,
        octets[flags],
        security_model,
        parameters,
        data,
        end,
        id_at=first,
        id=id_start,
        id_stop=id_stop,
    )


def read_parameters(octets: bytes, at: int, end: int) -> Parameters:
    """Read the security parameters, which fill `octets[at:end]`. Raises BerError."""
    at, stop = ber.read_expected(octets, at, end, ber.SEQUENCE)
    places = ber.read_fields(octets, at, stop, _PARAMETERS)
    engine_id, engine_stop, boots_at, boots_stop, time_at, time_stop, user, user_stop, code, code_stop, salt, _ = places
    boots, time = ber.signed(octets[boots_at:boots_stop]), ber.signed(octets[time_at:time_stop])
    sizes = engine_stop - engine_id <= MAX_ENGINE_ID_OCTETS and user_stop - user <= MAX_NAME_OCTETS
    if not sizes or stop != end or stop - salt > _SALT_OCTETS or boots < 0 or time < 0:
        raise ber.BerError("security parameters out of range")
    return Parameters(
        octets[engine_id:engine_stop],
        boots,
        time,
        octets[user:user_stop],
        code,
        code_stop,
        octets[salt:stop],
        time_at,
        time_stop,
        salt,
    )


def read_scoped_pdu(octets: bytes) -> ScopedPdu:
    """Read a scoped PDU, which has to be all there is. Raises BerError."""
    at, stop = ber.read_expected(octets, 0, len(octets), ber.SEQUENCE)
    engine_start, engine_stop = ber.read_expected(octets, at, stop, ber.OCTET_STRING)
    name_start, name_stop = ber.read_expected(octets, engine_stop, stop, ber.OCTET_STRING)
    if stop != len(octets):
        raise ber.BerError("something behind the scoped PDU")
    return ScopedPdu(octets[engine_start:engine_stop], octets[name_start:name_stop], name_stop, stop)


@lru_cache(maxsize=16)
def _own(engine_id: bytes) -> bytes:
    return ber.tagged(ber.OCTET_STRING, engine_id)


def write_scoped_pdu(engine_id: bytes, context: bytes, pdu: bytes) -> bytes:
    """Write a scoped PDU."""
    body = _own(engine_id) + ber.tagged(ber.OCTET_STRING, context) + pdu
    return ber.header(ber.SEQUENCE, len(body)) + body

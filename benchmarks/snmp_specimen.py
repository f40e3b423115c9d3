"""What the agents that are compared answer about, and to whom."""

from collections.abc import Iterator

from media_network.snmp.ber import Oid
from media_network.snmp.index import ObjectType, Rows
from media_network.snmp.settings import CommunitySettings, GroupSettings, SnmpSettings, UserSettings, ViewSettings
from media_network.snmp.value import COUNTER32, COUNTER64, DISPLAY_STRING, GAUGE32, INTEGER32, TIME_TICKS, Syntax

COMMUNITY = "benchmark"
USER = UserSettings(user="benchmark", auth_password="authentication-1", priv_password="encryption-1", group="benchmark")
SETTINGS = SnmpSettings(
    port=0,
    users=(USER,),
    communities=(CommunitySettings(community=COMMUNITY, group="benchmark"),),
    groups={"benchmark": GroupSettings(read="without-security")},
    views={"without-security": ViewSettings(include=("1.3.6.1",), exclude=("1.3.6.1.6.3.15", "1.3.6.1.6.3.16"))},
)
TABLE: Oid = (1, 3, 6, 1, 2, 1, 2, 2, 1)
ROWS = 16
SYNTAXES: tuple[Syntax, ...] = (INTEGER32, DISPLAY_STRING, GAUGE32, TIME_TICKS, *(COUNTER32,) * 12, *(COUNTER64,) * 4)
OBJECTS = ROWS * len(SYNTAXES)


class Interface:
    """A row: what it counts goes on counting while it is asked about."""

    def __init__(self, number: int) -> None:
        self.name = f"interface {number}"
        self.count = number * 1009


class Specimen:
    """A table like ifTable."""

    def __init__(self) -> None:
        self.rows = Rows(((number,), Interface(number)) for number in range(1, ROWS + 1))

    def go_on(self) -> None:
        """Count."""
        for _, interface in self.rows:
            interface.count += 64

    def objects(self) -> Iterator[ObjectType]:
        """Give the columns."""
        for number, syntax in enumerate(SYNTAXES, 1):
            read = _name if syntax is DISPLAY_STRING else _count
            yield ObjectType((*TABLE, number), syntax, self.rows, read)


def _name(interface: Interface) -> str:
    return interface.name


def _count(interface: Interface) -> int:
    return interface.count

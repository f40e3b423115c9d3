"""Messages of the LED commands (PICMG 3.0, 3.2.5.6)."""

import construct
from msgspec import Struct

from blade_agent.backplane.command import NET_FN_GROUP, PICMG, Command, CommandCode
from blade_agent.backplane.layout import NOTHING, Layout, low, single_bytes


class LedsOf(Struct, frozen=True):
    """Whose LEDs."""

    fru: int


class LedProperties(Struct, frozen=True, kw_only=True):
    """Which of the LEDs 0 to 3 there are, as bits, and how many there are from 4 on."""

    status_leds: int
    application_leds: int


class LedNumber(Struct, frozen=True):
    """Which LED."""

    fru: int
    led: int


class LedColors(Struct, frozen=True, kw_only=True):
    """Colours an LED can have, as bits by `LedColor`, and the usual one by itself and overridden."""

    colors: int
    local_color: int
    override_color: int


class SetLed(Struct, frozen=True, kw_only=True):
    """Override an LED, or give it back (PICMG 3.0, table 3-30)."""

    fru: int
    led: int
    """FFh: all; lamp test only."""
    function: int
    """0 off, FFh on, 1 to FAh off for so many 10 ms; FBh lamp test, FCh back to local control."""
    on_duration: int
    """On for so many 10 ms; of a lamp test, 100 ms."""
    color: int
    """Eh: leave it; Fh: the usual one."""


class LedState(Struct, frozen=True, kw_only=True):
    """How an LED shines (PICMG 3.0, table 3-31).

    What overrides it is there with an override, and during a lamp test, whose duration is there then, too.
    """

    states: int
    """Bits: 0 local control, 1 override, 2 lamp test."""
    local_function: int
    local_on_duration: int
    local_color: int
    override_function: int | None = None
    override_on_duration: int | None = None
    override_color: int | None = None
    test_duration: int | None = None
    """Of a lamp test that is under way, in 100 ms."""


def _picmg(number: int) -> CommandCode:
    return CommandCode(NET_FN_GROUP, PICMG, number)


_LED = Layout(LedNumber, *single_bytes("fru", "led"))

GET_FRU_LED_PROPERTIES = Command(
    "Get FRU LED Properties",
    _picmg(0x05),
    request=Layout(LedsOf, *single_bytes("fru")),
    reply=Layout(LedProperties, *single_bytes("status_leds", "application_leds")),
)
GET_LED_COLOR_CAPABILITIES = Command(
    "Get LED Color Capabilities",
    _picmg(0x06),
    request=_LED,
    reply=Layout(LedColors, *single_bytes("colors", "local_color", "override_color")),
)
SET_FRU_LED_STATE = Command(
    "Set FRU LED State",
    _picmg(0x07),
    request=Layout(SetLed, *single_bytes("fru", "led", "function", "on_duration"), "color" / low(0x0F)),
    reply=NOTHING,
)
GET_FRU_LED_STATE = Command(
    "Get FRU LED State",
    _picmg(0x08),
    request=_LED,
    reply=Layout(
        LedState,
        *single_bytes("states", "local_function", "local_on_duration", "local_color"),
        "override_function" / construct.Optional(construct.Int8ub),
        "override_on_duration" / construct.Optional(construct.Int8ub),
        "override_color" / construct.Optional(construct.Int8ub),
        "test_duration" / construct.Optional(construct.Int8ub),
        lengths_bytes=(4, 8),
    ),
)

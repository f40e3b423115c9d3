"""What a chassis is made of. A blade's own figures come from its hardware profile (`Heat`)."""

from typing import Annotated

from msgspec import Meta, Struct

Share = Annotated[float, Meta(ge=0, le=1)]


class FanParameters(Struct, frozen=True, kw_only=True):
    """A fan of the chassis; there is one behind each slot."""

    speed_max_rpm: Annotated[float, Meta(gt=0)] = 6000.0
    lag_s: Annotated[float, Meta(gt=0)] = 2.0
    """Time constant with which it takes up a new speed, and runs down."""
    start_duty: Share = 0.1
    """Below this share of full drive it stands still."""
    power_max_w: Annotated[float, Meta(ge=0)] = 3.0
    """At full speed; it grows with the third power of the speed (affinity laws)."""


class SupplyParameters(Struct, frozen=True, kw_only=True):
    """A power supply of the chassis. All that work share what is drawn."""

    capacity_w: Annotated[float, Meta(gt=0)] = 250.0
    nominal_v: Annotated[float, Meta(gt=0)] = 12.0
    droop: Share = 0.02
    """Share of the voltage that is lost at full load."""


class ChassisParameters(Struct, frozen=True, kw_only=True):
    """A chassis."""

    inlet_c: Annotated[float, Meta(ge=-40, le=80)] = 22.0
    """Temperature of the air it takes in."""
    fan: FanParameters = FanParameters()
    supply: SupplyParameters = SupplyParameters()
    supplies: Annotated[int, Meta(ge=1, le=16)] = 2
    air_to_neighbour: Annotated[float, Meta(ge=0, le=1 / 3)] = 0.15
    """Share of a fan's air that goes to each slot beside its own."""
    between_slots_w_per_k: Annotated[float, Meta(ge=0)] = 0.2
    """Heat that passes between two boards side by side, a degree of difference."""
    power_good_share: Share = 0.9
    """Of the nominal voltage: below it, blades are not sure to run."""

"""Power supplies: those that work share what is drawn, and give less than is asked when it is too much."""

from dataclasses import dataclass

from chassis_emulator.physics.parameters import SupplyParameters


@dataclass(frozen=True)
class PowerDelivery:
    """What the supplies give."""

    power_w: float
    """All together."""
    voltage_v: float
    share: float
    """Of what was asked for, 0 to 1."""


def deliver(parameters: SupplyParameters, working: int, demand_w: float) -> PowerDelivery:
    """Power and voltage from `working` supplies for a demand.

    Up to their capacity the voltage droops with the load; beyond it they give what they can, at a voltage that falls
    as the demand grows.
    """
    capacity_w = working * parameters.capacity_w
    if capacity_w <= 0:
        return PowerDelivery(0.0, 0.0, 0.0)
    share = min(1.0, capacity_w / demand_w) if demand_w > 0 else 1.0
    power_w = demand_w * share
    droop = parameters.droop * power_w / capacity_w
    return PowerDelivery(power_w, parameters.nominal_v * (1 - droop) * share, share)

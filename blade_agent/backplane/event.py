"""Something a sensor noticed, as it stands in event logs and in messages."""

from msgspec import Struct


class SensorEvent(Struct, frozen=True, kw_only=True):
    """Something a sensor noticed (IPMI 2.0, table 32-1, from the sensor type on)."""

    sensor_type: int
    sensor: int
    reading_type: int
    """01h: a threshold; 6Fh: as the sensor type says."""
    asserted: bool
    data: bytes
    """Three bytes."""

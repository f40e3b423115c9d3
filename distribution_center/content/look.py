"""How a film's pictures want to be shown: turned, in which shape, in which colours. The container may say it."""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import cast

from av.sidedata.sidedata import SideData, Type
from av.video.frame import VideoFrame

BT709, BT470BG, UNSPECIFIED = 1, 5, 2
"""Colour primaries, transfer and matrix share these numbers (ITU-T H.273)."""
_PERCEPTUAL_QUANTIZER, _HYBRID_LOG_GAMMA = 16, 18
_MATRIX = struct.Struct("=9i")
_CORNER = 1 << 15
"""Half of 1.0 in 16.16: what is larger counts."""


class Turn(StrEnum):
    """How a picture is turned before it is shown; the value is the filter that does it, as libavfilter calls it."""

    NONE = ""
    CLOCKWISE = "transpose=clock"
    COUNTERCLOCKWISE = "transpose=cclock"
    HALF = "hflip,vflip"
    MIRRORED = "hflip"
    UPSIDE_DOWN = "vflip"
    DIAGONAL = "transpose=cclock_flip"
    OTHER_DIAGONAL = "transpose=clock_flip"

    @property
    def lies(self) -> bool:
        """Whether width and height change places."""
        return self.value.startswith("transpose")


_TURNS = {
    (1, 0, 0, 1): Turn.NONE,
    (0, 1, -1, 0): Turn.CLOCKWISE,
    (0, -1, 1, 0): Turn.COUNTERCLOCKWISE,
    (-1, 0, 0, -1): Turn.HALF,
    (-1, 0, 0, 1): Turn.MIRRORED,
    (1, 0, 0, -1): Turn.UPSIDE_DOWN,
    (0, 1, 1, 0): Turn.DIAGONAL,
    (0, -1, -1, 0): Turn.OTHER_DIAGONAL,
}


@dataclass(frozen=True)
class Look:
    """How a picture is coded and wants to be shown. Equal looks go through the same filters."""

    width: int
    height: int
    pixels: str
    turn: Turn
    primaries: int
    transfer: int
    matrix: int
    range: int
    proprietary: bool
    """It carries Dolby Vision."""

    @property
    def is_hdr(self) -> bool:
        """HDR10 or HLG: brighter than 8 bits can say."""
        return self.transfer in {_PERCEPTUAL_QUANTIZER, _HYBRID_LOG_GAMMA}

    @property
    def is_unknown(self) -> bool:
        """Dolby Vision without a base in HDR10, HLG or SDR: colours that nobody else can show."""
        return self.proprietary and self.transfer == UNSPECIFIED


def look_of(frame: VideoFrame) -> Look:
    """How `frame` is coded and wants to be shown."""
    kinds: dict[Type, SideData] = {data.type: data for data in _side_data(frame)}
    matrix = kinds.get(Type.DISPLAYMATRIX)
    return Look(
        frame.width,
        frame.height,
        frame.format.name,
        turn_of(bytes(matrix)) if matrix is not None else Turn.NONE,
        frame.color_primaries,
        frame.color_trc,
        frame.colorspace,
        frame.color_range,
        Type.DOVI_METADATA in kinds or Type.DOVI_RPU_BUFFER in kinds,
    )


def _side_data(frame: VideoFrame) -> Iterable[SideData]:
    return cast("Iterable[SideData]", frame.side_data)  # PyAV's stub calls it a mapping of names


def turn_of(matrix: bytes) -> Turn:
    """The turn of a display matrix (ISO/IEC 14496-12, 6.2.2); one that is no quarter turns counts as none."""
    if len(matrix) != _MATRIX.size:
        return Turn.NONE
    a, b, _, c, d, *_ = (0 if abs(part) < _CORNER else part // abs(part) for part in _MATRIX.unpack(matrix))
    return _TURNS.get((a, b, c, d), Turn.NONE)

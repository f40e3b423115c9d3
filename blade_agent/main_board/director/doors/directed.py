"""What only a director answers to consoles and persons: another blade of the station sends them there."""

from collections.abc import Mapping
from types import MappingProxyType

from blade_agent.main_board.director.admission import PLAYLIST_PATH
from blade_agent.main_board.director.doors.playlist_resource import KEY_PICTURES_PATH, MEDIA_PATH
from blade_agent.main_board.director.doors.pulls import SEGMENT_PATH
from blade_agent.main_board.director.doors.watch_page import (
    ENGINES_PATH,
    FILE_PATH,
    INDEX_PATH,
    PICTURE_PATH,
    SHARED_PATH,
    TITLES_PATH,
)

PROGRAMS = "/programs/"
"""Below it pages of all origins may read."""

DIRECTED: Mapping[str, str] = MappingProxyType(
    {
        PLAYLIST_PATH: "The playlist of a program (claim 1).",
        MEDIA_PATH: "The playlist of its segments, for a session.",
        KEY_PICTURES_PATH: "The playlist of its key pictures, for a session.",
        SEGMENT_PATH: "A segment: redirects to an engine that holds it (claim 18).",
        PICTURE_PATH: "The picture of a program.",
        INDEX_PATH: "A page to watch programs.",
        FILE_PATH: "A part of the page.",
        SHARED_PATH: "A part of all pages.",
        ENGINES_PATH: "The engines of the station, by slot.",
        TITLES_PATH: "Programs in service, a page of them, by their titles.",
    }
)
"""Patterns, each with what OpenAPI shows."""

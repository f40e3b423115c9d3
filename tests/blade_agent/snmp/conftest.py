"""What the tests of the communications agent share."""

import pytest


@pytest.fixture
def folder(tmp_path):
    """Where an agent keeps who it is."""
    kept = tmp_path / "agent"
    kept.mkdir()
    return kept

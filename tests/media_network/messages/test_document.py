"""The document's tables of verbs and refusals are those of the code."""

from pathlib import Path

import pytest

from tests.verbs import tables

DOCUMENT = Path(__file__).parents[3] / "docs" / "protocols" / "messages.md"


@pytest.mark.parametrize("table", tables(), ids=["between machines", "on one machine", "refusals"])
def test_the_document_shows_this_table(table):
    assert f"\n\n{table}\n" in DOCUMENT.read_text(), "`python -m tests.verbs` prints it"

"""The life of a download: its table is total, its diagram is the document's, and nothing brings back what is over."""

from itertools import product
from pathlib import Path

from distribution_center.headquarters.download_life import EVENT_OF, TABLE, DownloadEvent, Heard, after, diagram
from media_network.messages.content import IngestStage
from media_network.messages.headquarters import Download, DownloadStage

DOCUMENT = Path(__file__).parents[3] / "docs/operations/headquarters.md"
FINAL = {stage for stage in DownloadStage if stage.is_final}


def test_from_every_stage_every_event_leads_somewhere():
    assert set(TABLE) == set(product(DownloadStage, DownloadEvent))


def test_every_stage_can_be_reached_and_every_event_moves_something():
    reached, found = set(), {DownloadStage.ORDERED}
    while found - reached:
        reached |= found
        found = {TABLE[stage, event] for stage in reached for event in DownloadEvent}
    assert reached == set(DownloadStage)
    assert {event for (stage, event), following in TABLE.items() if following is not stage} == set(DownloadEvent)


def test_what_is_over_is_over_and_all_else_can_come_to_an_end():
    for stage, event in TABLE:
        assert (TABLE[stage, event] is stage) or stage not in FINAL
    for stage in set(DownloadStage) - FINAL:
        assert {TABLE[stage, event] for event in DownloadEvent} >= FINAL


def test_what_is_taken_back_does_not_come_to_life_again():
    assert {TABLE[DownloadStage.CANCELLING, event] for event in DownloadEvent} == {DownloadStage.CANCELLING, *FINAL}
    assert all(
        TABLE[stage, DownloadEvent.TAKEN_BACK] is DownloadStage.CANCELLING for stage in set(DownloadStage) - FINAL
    )


def test_every_word_of_a_center_is_an_event_and_leads_to_its_stage():
    assert set(EVENT_OF) == set(IngestStage)
    for said, event in EVENT_OF.items():
        assert TABLE[DownloadStage.ORDERED, event].value == said.value


def test_what_is_heard_is_noted_but_of_what_is_over():
    download = Download(center="east", ingest="order-1", stage=DownloadStage.STORING, program="film")
    done = after(download, Heard(DownloadEvent.IS_DONE))
    assert (done.stage, done.fraction, done.program) == (DownloadStage.DONE, 1.0, "film")
    assert after(done, Heard(DownloadEvent.FAILS, obstacle="no")) == done
    assert after(download, Heard(None, obstacle="it is busy")).obstacle == "it is busy"
    assert after(download, Heard(None)) == download


def test_the_document_has_the_table():
    assert f"```mermaid\n{diagram()}```" in DOCUMENT.read_text()

"""Words of the wire: what a newer party says is understood as something that is not known."""

import msgspec
import pytest

from media_network.messages.billing import AdmissionGround
from media_network.messages.content import IngestStage, ProgramState
from media_network.messages.deletion import DeletionStage, DeletionVerdict
from media_network.messages.enlisting import TurnPhase
from media_network.messages.headquarters import DownloadStage
from media_network.messages.obtaining import CopyResult, Obstacle
from media_network.messages.steering import SeekStyle
from media_network.messages.streaming import StopCause
from media_network.messages.subscribers import SubscriberState
from media_network.messages.watching import SessionState
from media_network.program_header import AttachmentKind, Role, StreamKind, TrackKind
from media_network.refusal import Reason, Refused
from media_network.word import Word

WORDS = [
    AdmissionGround,
    AttachmentKind,
    CopyResult,
    DeletionStage,
    DeletionVerdict,
    DownloadStage,
    IngestStage,
    Obstacle,
    ProgramState,
    Reason,
    Role,
    SeekStyle,
    SessionState,
    StopCause,
    StreamKind,
    SubscriberState,
    TrackKind,
    TurnPhase,
]


def test_these_are_all_words():
    assert sorted(Word.__subclasses__(), key=lambda kind: kind.__name__) == WORDS


@pytest.mark.parametrize("kind", WORDS)
@pytest.mark.parametrize("text", ["moonlight", "", "Done", "done ", "\U0001f319"])
def test_a_word_that_is_not_known_is_unknown(kind, text):
    assert msgspec.json.decode(msgspec.json.encode(text), type=kind) is kind.UNKNOWN
    assert kind(text) is kind.UNKNOWN


@pytest.mark.parametrize("kind", WORDS)
def test_a_word_that_is_known_is_itself(kind):
    for word in kind:
        assert msgspec.json.decode(msgspec.json.encode(word), type=kind) is word


@pytest.mark.parametrize("kind", WORDS)
@pytest.mark.parametrize("value", [7, None, ["done"]])
def test_what_is_no_word_is_a_broken_message(kind, value):
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode(value), type=kind)


@pytest.mark.parametrize("reason", Reason)
def test_what_may_have_been_done(reason):
    assert Refused(reason).perhaps_done == (reason in {Reason.OVERDUE, Reason.UNKNOWN})

"""A message of a newer party, with fields and words that are not known here, is understood as far as it is known."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import inspect

from media_network.refusal import Refused
from tests.golden_messages import as_json, example
from tests.verbs import VERBS

SAID = {Refused, *(kind for verb in VERBS for kind in (verb.request, verb.reply))}
KINDS = sorted(SAID, key=lambda kind: kind.__name__)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
fields = st.dictionaries(st.text(min_size=1, max_size=8), values, max_size=3)


def newer(info, value, draw):
    """What a newer party says instead of `value`, and what it is to be taken for."""
    match info:
        case inspect.StructType():
            known = {field.encode_name: field.type for field in info.fields}
            parts = {name: newer(known[name], part, draw) for name, part in value.items()}
            more = {name: part for name, part in draw(fields).items() if name not in known}
            said = more | {name: part[0] for name, part in parts.items()}
            return said, {name: part[1] for name, part in parts.items()}
        case inspect.UnionType():
            return newer(next(each for each in info.types if not isinstance(each, inspect.NoneType)), value, draw)
        case inspect.VarTupleType():
            parts = [newer(info.item_type, part, draw) for part in value]
            return [part[0] for part in parts], [part[1] for part in parts]
        case inspect.EnumType():
            word = draw(st.sampled_from([value]) | st.text(max_size=12))
            return word, word if word in set(info.cls) else "unknown"
    return value, value


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@settings(max_examples=20)
@given(data=st.data())
def test_what_a_newer_party_says_is_understood_as_far_as_it_is_known(kind, data):
    known = as_json(example(kind))
    said, understood = newer(inspect.type_info(kind), known, data.draw)
    assert as_json(msgspec.json.decode(msgspec.json.encode(said), type=kind)) == understood

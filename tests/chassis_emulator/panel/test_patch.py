"""A patch makes the later document of the earlier one, and says no more than it must."""

import json

from hypothesis import given
from hypothesis import strategies as st

from chassis_emulator.panel.patch import difference

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False, allow_infinity=False) | st.text("ab"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)


def apply(value, patch):
    """As `page/patch.js` does; that the page does the same is shown in a browser."""
    if isinstance(patch, list):
        return patch[0]
    if isinstance(value, list):
        return [apply(item, patch[str(index)]) if str(index) in patch else item for index, item in enumerate(value)]
    return {key: apply(item, patch[key]) if key in patch else item for key, item in value.items()}


@given(JSON, JSON)
def test_a_patch_leads_from_the_one_to_the_other(before, after):
    patch = difference(before, after)
    arrived = before if patch is None else apply(before, json.loads(json.dumps(patch)))
    assert json.dumps(arrived, sort_keys=True) == json.dumps(after, sort_keys=True)


@given(JSON)
def test_nothing_changed_is_no_patch(document):
    assert difference(document, document) is None


def test_one_figure_is_all_that_travels():
    before = {"stations": [{"slots": [{"temperature_c": 40.0, "role": "engine"}, {"temperature_c": 41.0}]}]}
    after = {"stations": [{"slots": [{"temperature_c": 40.5, "role": "engine"}, {"temperature_c": 41.0}]}]}
    assert difference(before, after) == {"stations": {"0": {"slots": {"0": {"temperature_c": [40.5]}}}}}


def test_true_is_not_one():
    assert difference({"a": True}, {"a": 1}) == {"a": [1]}

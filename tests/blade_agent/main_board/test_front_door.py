"""The main board's door has every verb of a director and of an engine: what it does not know of is not found there."""

from blade_agent.main_board import front_door
from tests.verbs import VERBS


def test_whatever_a_role_answers_is_answered_at_the_door():
    of_roles = {verb.path for verb in VERBS if verb.path.startswith(("director/", "engine/"))}
    assert {verb.path for verb in front_door._VERBS} == of_roles

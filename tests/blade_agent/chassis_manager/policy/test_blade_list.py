"""What the director is told of the station's blades: all at the start of its term, then what changes, and no more."""

from blade_agent.backplane.messages.station_blades import NOTE_BLADES
from blade_agent.backplane.role import Role


class Told:
    """Requests that name blades, as each of them comes to its blade."""

    def __init__(self, chassis):
        self.messages = []
        self._chassis = chassis
        for slot in chassis.blades:
            self.listen(slot)

    def listen(self, slot):
        blade = self._chassis.blades[slot]
        answer = blade.answer

        def noting(request):
            if (request.net_fn, request.command) == (0x2E, NOTE_BLADES.code.number):
                body = NOTE_BLADES.read_request(request.data.removeprefix(NOTE_BLADES.code.group))
                roles = {number: other.board.assignment.role for number, other in self._chassis.blades.items()}
                self.messages.append((slot, {blade.slot: blade.address for blade in body.blades}, roles))
            return answer(request)

        blade.answer = noting


def addresses(chassis, *slots):
    return {slot: chassis.blades[slot].board.address for slot in slots}


def known(chassis, slot):
    return dict(chassis.blades[slot].board.blades)


def test_a_director_knows_its_blades_before_any_engine_comes_to_it(bench):
    chassis = bench(slots=6)
    told = Told(chassis)
    chassis.run_until(lambda: chassis.served_by(1), 3)
    assert known(chassis, 1) == addresses(chassis, *range(1, 7))
    first = next(roles for slot, _, roles in told.messages)
    assert {role for slot, role in first.items() if slot != 1} == {Role.UNASSIGNED}
    assert {slot for slot, _, _ in told.messages} == {1}


def test_while_nothing_changes_nothing_is_told(bench):
    chassis = bench(slots=6)
    told = Told(chassis)
    chassis.run_until(lambda: chassis.served_by(1), 3)
    chassis.run(2)
    before = len(told.messages)
    assert before == 2, "four blades in each of them"
    chassis.run(120)
    assert len(told.messages) == before


def test_only_the_slot_that_changed_is_told_of(bench):
    chassis = bench(slots=6)
    told = Told(chassis)
    chassis.run_until(lambda: chassis.served_by(1), 3)
    chassis.run(2)
    told.messages.clear()
    chassis.chassis.service.deactivate(4)
    chassis.run(5)
    assert [blades for _, blades, _ in told.messages] == [{4: None}]
    assert known(chassis, 1) == addresses(chassis, 1, 2, 3, 5, 6)
    chassis.chassis.service.activate(4)
    chassis.run(5)
    assert [blades for _, blades, _ in told.messages] == [{4: None}, addresses(chassis, 4)]


def test_a_blade_that_only_the_backplane_has_lost_stays_one_of_the_stations(bench):
    chassis = bench(slots=3)
    chassis.run_until(lambda: chassis.served_by(1), 3)
    chassis.hung.add(3)
    chassis.run(10)
    assert known(chassis, 1) == addresses(chassis, 1, 2, 3)


def test_the_next_director_is_told_all_of_them(bench):
    chassis = bench(slots=6)
    chassis.run_until(lambda: chassis.served_by(1), 3)
    chassis.run(2)
    chassis.crash_blade(1)
    chassis.run_until(lambda: chassis.served_by(2), 5)
    assert known(chassis, 2).keys() == {1, 2, 3, 4, 5, 6}


def test_a_manager_that_comes_back_tells_them_once_more(bench):
    chassis = bench(slots=4)
    chassis.run_until(lambda: chassis.served_by(1), 3)
    chassis.run(2)
    chassis.stop_manager()
    chassis.crash_blade(3)
    chassis.start_manager()
    chassis.run(10)
    assert known(chassis, 1) == addresses(chassis, 1, 2, 4)


def test_nobody_but_a_director_is_told(bench):
    chassis = bench(slots=2)
    chassis.run_until(lambda: chassis.served_by(1), 3)
    assert not hasattr(chassis.blades[2].board, "blades")

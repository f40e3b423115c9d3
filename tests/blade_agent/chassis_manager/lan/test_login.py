import logging
from random import Random

import pytest

from blade_agent.chassis_manager.lan.attempts import Attempts
from blade_agent.chassis_manager.lan.cipher import CIPHER_SUITES
from blade_agent.chassis_manager.lan.login import HALF_OPEN_S, MAX_HALF_OPEN, MAX_HALF_OPEN_OF_HOST
from blade_agent.chassis_manager.lan.packet import LanFault
from blade_agent.chassis_manager.lan.session import MAX_SESSIONS, TIMEOUT_S
from blade_agent.chassis_manager.lan.users import LanUser, Privilege, Users, generated_administrator

SET_PRIVILEGE = (6, 0x3B)


@pytest.mark.parametrize("suite", CIPHER_SUITES, ids=lambda suite: f"suite {suite.number}")
def test_a_login_proves_both_sides(console, suite):
    assert console.log_in(suite=suite) == 0
    assert console.proof == console.exchange.rakp_2_code()
    assert console.ask(6, 1).completion == 0


def test_repeated_steps_are_answered_alike_and_others_in_their_place_are_not(console, endpoint):
    console.open()
    assert console.rakp_1() == console.rakp_1()
    assert console.rakp_1(b"watch")[1] == 2
    console.rakp_1()
    assert console.rakp_3() == console.rakp_3()
    assert len(endpoint.sessions) == 1
    console.ask(6, 1)
    assert console.rakp_3()[1] == 2


def test_a_wrong_password_and_an_unknown_user_look_alike(console, make_console, endpoint, caplog):
    assert console.log_in(password=b"guess") == 0x0F
    assert console.proof != console.exchange.rakp_2_code()
    other = make_console(host="10.0.0.10")
    assert other.log_in(name=b"nobody", password=b"guess") == 0x0F
    assert other.proof != other.exchange.rakp_2_code()
    assert endpoint.login.attempts.failures == 2
    assert endpoint.login.half_open == len(endpoint.sessions) == 0
    assert "login as 'root' from 10.0.0.9 failed" in caplog.text
    assert "guess" not in caplog.text


def test_failures_delay_their_host_twice_as_long_each_time_and_nobody_else(console, make_console, endpoint):
    delays = []
    for _ in range(4):
        assert console.log_in(password=b"guess") == 0x0F
        start = console.now
        while console.open() is None:
            console.now += 0.05
        delays.append(round(console.now - start, 2))
        assert make_console(host="10.0.0.10").log_in() == 0
    assert delays == pytest.approx([0.5, 1.0, 2.0, 4.0], abs=0.06)
    assert endpoint.faults[LanFault.PENALIZED] > 100
    assert console.log_in() == 0
    assert console.log_in(password=b"guess") == 0x0F
    console.now += 0.51
    assert console.log_in() == 0


def test_a_login_given_up_after_rakp_2_counts_as_a_wrong_password(console, endpoint):
    console.open()
    assert endpoint.due == console.now + HALF_OPEN_S
    endpoint.tick(endpoint.due)
    assert (endpoint.login.attempts.failures, endpoint.login.half_open, endpoint.due) == (0, 0, None)
    console.open()
    console.rakp_1()
    endpoint.tick(endpoint.due - 0.01)
    assert endpoint.login.half_open == 1
    console.now = endpoint.due
    endpoint.tick(endpoint.due)
    assert (endpoint.login.attempts.failures, endpoint.login.half_open) == (1, 0)
    assert console.open() is None


def test_failures_are_logged_no_faster_than_one_a_second_and_kept_in_bounded_room(caplog):
    attempts = Attempts()
    with caplog.at_level(logging.WARNING):
        for n in range(2000):
            attempts.failed(f"10.1.{n >> 8}.{n & 255}", "root", 5.0 + n / 1000)
    assert len(caplog.records) == 2
    assert "999 other failures not logged" in caplog.text
    assert attempts.failures == 2000
    assert len(attempts._records) == 256


def test_logins_under_way_are_bounded_and_the_oldest_goes_first(console, make_console, endpoint):
    console.open()
    first = console.managed_id
    for _ in range(MAX_HALF_OPEN_OF_HOST):
        assert console.open()[1] == 0
    assert endpoint.login.half_open == MAX_HALF_OPEN_OF_HOST
    last, console.managed_id = console.managed_id, first
    assert console.rakp_1()[1] == 2
    for n in range(MAX_HALF_OPEN):
        assert make_console(host=f"10.0.1.{n}").open()[1] == 0
    assert endpoint.login.half_open == MAX_HALF_OPEN
    console.managed_id = last
    assert console.rakp_1()[1] == 2


def test_sessions_are_bounded_and_a_flood_of_logins_leaves_them_alone(console, make_console, endpoint):
    assert console.log_in() == 0
    others = [make_console(host=f"10.0.2.{n}") for n in range(MAX_SESSIONS - 1)]
    assert [other.log_in() for other in others] == [0] * (MAX_SESSIONS - 1)
    late = make_console(host="10.0.3.1")
    assert late.open()[1] == 1
    assert console.ask(6, 1).completion == 0
    late.now += TIMEOUT_S + 1
    assert late.log_in() == 0
    assert len(endpoint.sessions) == 1


def test_another_host_cannot_go_on_with_a_login(console, make_console):
    console.open()
    thief = make_console(host="10.0.0.66")
    thief.managed_id = console.managed_id
    thief.suite = console.suite
    assert thief.rakp_1()[1] == 2
    assert console.rakp_1()[1] == 0


@pytest.mark.parametrize(
    ("name", "password", "role", "status", "limit"),
    [
        (b"root", b"correct horse batt", 0x14, 0, Privilege.ADMINISTRATOR),
        (b"root", b"correct horse batt", 0x00, 0, Privilege.ADMINISTRATOR),
        (b"root", b"correct horse batt", 0x12, 0, Privilege.USER),
        (b"night", b"third shift", 0x13, 0, Privilege.OPERATOR),
        (b"night", b"third shift", 0x14, 0x0A, None),
        (b"watch", b"only looking", 0x12, 0, Privilege.USER),
        (b"watch", b"only looking", 0x13, 0x0A, None),
        (b"root", b"correct horse batt", 0x01, 0x0A, None),
        (b"root", b"correct horse batt", 0x0F, 0x0A, None),
    ],
)
def test_nobody_gets_more_than_his_privilege(console, endpoint, name, password, role, status, limit):
    assert console.log_in(name, password, role) == status
    assert [session.limit for session in endpoint.sessions] == ([] if limit is None else [limit])


def test_privilege_is_raised_up_to_the_limit(console):
    console.log_in(b"night", b"third shift", 0x13)
    assert console.ask(*SET_PRIVILEGE, b"\0").data == b"\x02"
    assert console.ask(*SET_PRIVILEGE, b"\3").data == b"\x03"
    assert console.ask(*SET_PRIVILEGE, b"\4").completion == 0x80
    assert console.ask(*SET_PRIVILEGE, b"\5").completion == 0xCC
    console.log_in(role=0x12)
    assert console.ask(*SET_PRIVILEGE, b"\4").completion == 0x81


def test_algorithms_that_are_no_suite_are_refused(console, endpoint):
    suite = CIPHER_SUITES[0]
    weak = type(suite)(number=2, authentication=1, integrity=1, confidentiality=0, digest="sha1", code_bytes=12)
    none = type(suite)(number=0, authentication=0, integrity=0, confidentiality=0, digest="sha1", code_bytes=12)
    assert [console.open(weak)[1], console.open(none)[1]] == [0x11, 0x11]
    assert endpoint.login.half_open == 0


def test_users_are_checked_at_the_door_and_show_no_password(endpoint):
    for name, password in (("", "x"), ("n" * 17, "x"), ("nørd", "x"), ("root", ""), ("root", "x" * 21)):
        with pytest.raises(ValueError, match="IPMI user"):
            LanUser(name=name, password=password)
    root = generated_administrator(Random(1))
    assert root.password not in repr(root)
    assert root.password != generated_administrator(Random(2)).password
    assert len(root.password) == 16
    for users in ((), (root, root)):
        with pytest.raises(ValueError, match="needs users"):
            Users(users, Random(1))


def test_a_console_that_gives_up_gets_no_session(console, endpoint):
    console.open()
    console.rakp_1()
    assert console.rakp_3(status=0x0F)[1] == 0x0F
    assert (len(endpoint.sessions), endpoint.login.attempts.failures) == (0, 1)


def test_open_session_limits_the_privilege_too(console, endpoint):
    console.open(privilege=3)
    console.rakp_1()
    assert console.rakp_3()[1] == 0
    assert [session.limit for session in endpoint.sessions] == [Privilege.OPERATOR]

"""Who may see and set what. What is not allowed by name is refused."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_network.snmp.access import ANY_MODEL, USM, V2C, AccessEntry, AccessTables, Family, Level, MibView, Purpose
from media_network.snmp.pdu import PduType
from media_network.snmp.settings import CommunitySettings, GroupSettings, SnmpSettings, UserSettings, ViewSettings
from media_network.snmp.value import DISPLAY_STRING, ErrorStatus
from tests.media_network.snmp.specimen import (
    ENTRY,
    LEVEL,
    NAME,
    SCALARS,
    USERS,
    Manager,
    Specimen,
    request,
    secure_options,
    served,
    set_request,
    tool,
)

GET_NAME = request(PduType.GET, (*NAME, 0))
SET_NAME = set_request(((*NAME, 0), DISPLAY_STRING.encode("there")))
READERS = [user for user in USERS if user.group == "read-only"]
WRITERS = [user for user in USERS if user.group == "read-write"]
PASSWORDS = {"auth_password": "authentication-1", "priv_password": "encryption-1"}


@pytest.mark.peer("snmpset", "snmpget")
def test_a_view_without_write_permission_refuses_snmpset_in_v2c_and_v3(tmp_path):
    async def story():
        specimen = Specimen()
        async with served(tmp_path, specimen) as service:
            for who in (["-v2c", "-c", "reader"], *map(secure_options, READERS)):
                code, output = await tool("snmpset", *who, service.address, oid(NAME), "s", "there")
                assert code != 0
                assert "authorizationError" in output
                code, output = await tool("snmpget", *who, "-Oqv", service.address, oid(NAME))
                assert (code, output) == (0, '"here"\n')
            assert specimen.written == []
            for number, who in enumerate((["-v2c", "-c", "writer"], *map(secure_options, WRITERS))):
                code, output = await tool("snmpset", *who, "-Oqv", service.address, oid(NAME), "s", f"there {number}")
                assert (code, output) == (0, f'"there {number}"\n')
                assert specimen.name == f"there {number}"

    asyncio.run(story())


@pytest.mark.parametrize("reader", READERS, ids=lambda user: user.user)
def test_nobody_who_may_only_read_sets_anything(reader):
    specimen = Specimen()
    manager = Manager(specimen)
    level = Level.AUTH_NO_PRIV if reader.priv_protocol == "none" else Level.AUTH_PRIV
    assert manager.secure(reader.user, GET_NAME, level)[0] == ErrorStatus.NO_ERROR
    assert manager.secure(reader.user, SET_NAME, level)[:2] == (ErrorStatus.AUTHORIZATION_ERROR, 0)
    assert manager.community("reader", SET_NAME)[:2] == (ErrorStatus.AUTHORIZATION_ERROR, 0)
    assert specimen.written == []


@pytest.mark.parametrize("level", [Level.NO_AUTH_NO_PRIV, Level.AUTH_NO_PRIV])
@pytest.mark.parametrize("pdu", [GET_NAME, SET_NAME, request(PduType.GET_BULK, NAME, second=10)])
def test_who_has_a_privacy_password_is_denied_everything_without_it(level, pdu):
    specimen = Specimen()
    status, _, bindings = Manager(specimen).secure("read-write-SHA-256-AES", pdu, level)
    assert status == ErrorStatus.AUTHORIZATION_ERROR
    assert all(content != b"here" for _, _, content in bindings)
    assert specimen.written == []


def test_without_users_and_communities_nobody_is_answered():
    manager = Manager(settings=SnmpSettings())
    for community in ("public", "private", ""):
        assert manager.community(community, GET_NAME) is None
    assert manager.counters.in_bad_versions == 3


def test_a_community_is_of_one_context_and_a_context_that_is_not_there_is_silent():
    manager = Manager()
    assert manager.community("of-blade-3", GET_NAME)[2][0][2] == b"blade 3"
    assert manager.community("of-nothing", GET_NAME) is None
    assert manager.counters.unknown_contexts == 1


LIMITED = SnmpSettings(
    users=(UserSettings(user="operator", group="operators", **PASSWORDS),),
    communities=(CommunitySettings(community="glance", group="glancers"),),
    groups={
        "operators": GroupSettings(read="all", write="names", contexts=("blade",)),
        "glancers": GroupSettings(read="second-rows"),
    },
    views={
        "names": ViewSettings(include=(".".join(map(str, NAME)),)),
        "second-rows": ViewSettings(
            include=(".".join(map(str, ENTRY)) + ".*.2", ".".join(map(str, SCALARS))),
            exclude=(".".join(map(str, LEVEL)), ".".join(map(str, ENTRY)) + ".3.2"),
        ),
    },
)


def test_a_group_is_limited_to_contexts_and_to_what_its_write_view_has():
    manager = Manager(settings=LIMITED)
    ask = manager.secure
    assert ask("operator", GET_NAME)[0] == ErrorStatus.AUTHORIZATION_ERROR
    assert ask("operator", GET_NAME, context=b"blade3")[2][0][2] == b"blade 3"
    assert ask("operator", SET_NAME, context=b"blade3")[0] == ErrorStatus.NO_ERROR
    level = set_request(((*NAME, 0), DISPLAY_STRING.encode("x")), ((*LEVEL, 0), b"\2\1\3"))
    assert ask("operator", level, context=b"blade3")[:2] == (ErrorStatus.NO_ACCESS, 2)
    assert ask("operator", GET_NAME, context=b"blade3")[2][0][2] == b"there"


def test_a_view_with_wildcards_shows_only_the_rows_it_names():
    manager = Manager(settings=LIMITED)
    walked, name = [], (1, 3)
    while True:
        ((name, tag, _),) = manager.community("glance", request(PduType.GET_NEXT, name))[2]
        if tag == 0x82:
            break
        walked.append(name)
    rows = [(*ENTRY, column, 2) for column in (1, 2, 4, 5, 6, 7, 129)]
    assert walked == [(*SCALARS, column, 0) for column in (1, 3, 4, 5, 6)] + rows
    tags = [tag for _, tag, _ in manager.community("glance", request(PduType.GET, *rows, (*ENTRY, 1, 1)))[2]]
    assert tags == [2, 4, 0x42, 0x46, 6, 0x40, 4, 0x81]
    assert manager.community("glance", request(PduType.GET, (*LEVEL, 0)))[2][0][1] == 0x80


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"user": ""}, "1 to 32 octets"),
        ({"user": "u" * 33}, "1 to 32 octets"),
        ({"auth_password": "short"}, "8 or more"),
        ({"priv_password": ""}, "8 or more"),
    ],
)
def test_users_that_would_not_be_safe_are_refused(changes, reason):
    with pytest.raises(ValueError, match=reason):
        UserSettings(**{"user": "somebody", **PASSWORDS, **changes})


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (SnmpSettings(users=(UserSettings(user="x", group="nobody", **PASSWORDS),)), "no SNMP group 'nobody'"),
        (SnmpSettings(groups={"x": GroupSettings(read="nothing")}), "no view 'nothing'"),
    ],
)
def test_settings_name_only_what_there_is(settings, reason):
    with pytest.raises(ValueError, match=reason):
        settings.access_tables()


def test_secrets_are_not_shown():
    shown = repr(SnmpSettings(users=USERS[:1], communities=(CommunitySettings(community="hidden-1"),)))
    assert not any(secret in shown for secret in ("authentication-1", "encryption-1", "hidden-1"))


names = st.lists(st.integers(0, 2), max_size=5).map(tuple)
families = st.builds(
    lambda subtree, mask, included: Family(subtree, tuple(mask[: len(subtree)]), included),
    st.lists(st.integers(0, 2), min_size=1, max_size=4).map(tuple),
    st.lists(st.booleans(), max_size=4),
    st.booleans(),
)


@given(st.lists(families, max_size=5), names, names)
def test_what_a_view_says_of_a_whole_subtree_holds_for_each_name_in_it(listed, above, below):
    view = MibView("v", listed)
    covered = view.covers(above)
    if covered is not None:
        assert view.includes(above + below) is covered


@given(st.lists(families, max_size=5), names)
def test_the_longest_family_decides_as_rfc_3415_has_it(listed, name):
    fitting = [
        known
        for known in listed
        if len(known.subtree) <= len(name)
        and all(
            wanted == name[at] or (at < len(known.mask) and not known.mask[at])
            for at, wanted in enumerate(known.subtree)
        )
    ]
    best = max(fitting, key=lambda known: (len(known.subtree), known.subtree), default=None)
    same = {known.included for known in fitting if best and known.subtree == best.subtree}
    if len(same) < 2:
        assert MibView("v", listed).includes(name) is (best is not None and best.included)


def test_of_several_entries_the_most_particular_counts():
    views = {name: MibView(name, [Family((1,))]) for name in ("any", "usm", "exact", "private")}
    entries = (
        AccessEntry(group="g", prefix=True, model=ANY_MODEL, level=Level.NO_AUTH_NO_PRIV, read="any"),
        AccessEntry(group="g", prefix=True, model=USM, level=Level.AUTH_NO_PRIV, read="usm"),
        AccessEntry(group="g", context=b"c", model=USM, level=Level.AUTH_NO_PRIV, read="exact"),
        AccessEntry(group="g", context=b"c", model=USM, level=Level.AUTH_PRIV, read="private"),
    )
    tables = AccessTables(groups={(USM, "u"): "g", (V2C, "c"): "g"}, entries=entries, views=views)

    def read(who, level, context):
        view = tables.view(who, level, context, Purpose.READ)
        return view and view.name

    assert read((V2C, "c"), Level.NO_AUTH_NO_PRIV, b"") == "any"
    assert read((USM, "u"), Level.AUTH_NO_PRIV, b"") == "usm"
    assert read((USM, "u"), Level.AUTH_NO_PRIV, b"c") == "exact"
    assert read((USM, "u"), Level.AUTH_PRIV, b"c") == "private"
    assert read((USM, "u"), Level.AUTH_PRIV, b"cc") == "usm"
    assert read((USM, "stranger"), Level.AUTH_PRIV, b"") is None
    assert tables.view((USM, "u"), Level.AUTH_PRIV, b"", Purpose.WRITE) is None


def oid(name):
    return ".".join(map(str, (*name, 0)))

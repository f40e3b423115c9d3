import pytest

from media_network.identity.identity import BadIdentity, Identity, IdentityKind


@pytest.mark.parametrize(
    ("path", "kind", "station", "slot"),
    [
        ("blade/east.north/16", IdentityKind.BLADE, "east.north", 16),
        ("center/main", IdentityKind.CENTER, "", None),
        ("headquarters", IdentityKind.HEADQUARTERS, "", None),
        ("accounts", IdentityKind.ACCOUNTS, "", None),
        ("operator/Ada_L.-2", IdentityKind.OPERATOR, "", None),
    ],
)
def test_a_name_is_read_as_it_was_written(path, kind, station, slot):
    identity = Identity.named("lab.example", path)
    assert (identity.kind, identity.station, identity.slot, str(identity)) == (kind, station, slot, path)
    assert identity.uri == f"spiffe://lab.example/{path}"
    assert Identity.parse(identity.uri) == identity


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "https://lab.example/center/main",
        "spiffe://lab.example",
        "spiffe://lab.example/",
        "spiffe://lab.example/nobody/main",
        "spiffe://lab.example/center",
        "spiffe://lab.example/center/",
        "spiffe://lab.example/center/main/",
        "spiffe://lab.example/center/main/2",
        "spiffe://lab.example/headquarters/main",
        "spiffe://lab.example/blade/north",
        "spiffe://lab.example/blade/north/two",
        "spiffe://lab.example/blade/../2",
        "spiffe://lab.example/center/.",
        "spiffe://lab.example/center/a%2fb",
        "spiffe://lab.example/center/main?x",
        "spiffe://lab.example/center/main\n",
        "spiffe://lab.example/center/" + "m" * 65,
        "spiffe://lab.example/center/m\u00fcnchen",
        "spiffe://LAB.example/center/main",
        "spiffe://ada@lab.example/center/main",
        "spiffe://lab.example:443/center/main",
        "spiffe://" + "a" * 300 + "/center/main",
        "spiffe://lab.example/center/" + "m" * 4000,
    ],
)
def test_what_is_no_identity_is_refused(uri):
    with pytest.raises(BadIdentity):
        Identity.parse(uri)

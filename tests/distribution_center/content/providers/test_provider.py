"""Which addresses are a provider's, and who may read how the center makes itself known to it."""

import pytest

from distribution_center.content.providers.credentials import Credentials, read_credentials
from distribution_center.content.providers.provider import ProviderSettings, provider_of, shown
from distribution_center.content.providers.providers import Providers, ProviderUnfit
from media_network.settings import SettingsError

STUDIO = ProviderSettings(name="studio", address="https://vod.example/films/", also=("https://cdn.example:8443/",))


@pytest.mark.parametrize(
    "url",
    [
        "https://vod.example/films/a.mp4",
        "https://vod.example/films/new/a.mp4?token=1",
        "HTTPS://VOD.example:443/films/a.mp4",
        "https://vod.example/films/a%20film.mp4",
        "https://vod.example/films/a..mp4",
    ],
)
def test_what_is_below_its_address_is_a_providers(url):
    assert STUDIO.has(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://vod.example/film/a.mp4",
        "https://vod.example/filmsecrets/a.mp4",
        "https://vod.example/films/../secrets/a.mp4",
        "https://vod.example/films/%2e%2e/secrets/a.mp4",
        "https://vod.example/films/..%2fsecrets/a.mp4",
        "https://vod.example/films/%252e/..\\a.mp4",
        "https://vod.example//films/a.mp4",
        "http://vod.example/films/a.mp4",
        "https://vod.example:444/films/a.mp4",
        "https://vod.example.evil/films/a.mp4",
        "https://vod.example@evil/films/a.mp4",
        "https://user:pw@vod.example/films/a.mp4",
        "https://evil\\@vod.example/films/a.mp4",
        "https://vod.example/films/a\n.mp4",
        "https://vod.example/films/a%0d%0a.mp4",
        "https://cdn.example:8443/films/a.mp4",
        "https:///films/a.mp4",
        "//vod.example/films/a.mp4",
        "/films/a.mp4",
        "",
    ],
)
def test_what_is_not_below_it_is_nobodys(url):
    assert not STUDIO.has(url)
    assert provider_of(url, [STUDIO]) is None


def test_it_may_redirect_to_its_own_and_to_what_is_named_besides():
    assert STUDIO.may_redirect_to("https://cdn.example:8443/x/a.mp4")
    assert STUDIO.may_redirect_to("https://vod.example/films/b.mp4")
    assert not STUDIO.may_redirect_to("http://169.254.169.254/latest/")
    assert not STUDIO.may_redirect_to("https://cdn.example/x/a.mp4")


def test_of_two_the_longer_address_counts():
    new = ProviderSettings(name="new", address="https://vod.example/films/new/")
    assert provider_of("https://vod.example/films/new/a.mp4", [STUDIO, new]) is new
    assert provider_of("https://vod.example/films/a.mp4", [new, STUDIO]) is STUDIO


def test_a_link_does_not_lead_out_of_a_folder(tmp_path):
    incoming, secret = tmp_path / "incoming", tmp_path / "secret.mp4"
    incoming.mkdir()
    secret.write_bytes(b"")
    (incoming / "film.mp4").write_bytes(b"")
    (incoming / "link.mp4").symlink_to(secret)
    folder = ProviderSettings(name="incoming", address=f"file://{incoming}/")
    assert folder.has(f"file://{incoming}/film.mp4")
    assert not folder.has(f"file://{incoming}/link.mp4")
    assert not folder.has(f"file://{secret}")


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ({"address": "gopher://vod.example/"}, "is no address: write http://, https://, ftp://"),
        ({"address": "https://user:pw@vod.example/"}, "is no address"),
        ({"address": "https:///films/"}, "names no machine"),
        ({"address": "file://vod.example/films/"}, "names a machine: write file:///folder/"),
        ({"also": ("ftp//",)}, "is no address"),
        ({"address": "sftp://vod.example/"}, "an SFTP server is known by its `host_key`: name it"),
        ({"address": "sftp://vod.example/", "host_key": "ssh-ed25519 AAAA"}, "SFTP wants a `user`"),
        ({"ca": "/none.pem"}, "/none.pem has no certificates that can be read"),
    ],
)
def test_what_cannot_be_a_provider_is_a_sentence(facts, sentence):
    with pytest.raises(ProviderUnfit) as caught:
        Providers([ProviderSettings(**{"name": "studio", "address": "https://vod.example/", **facts})])
    assert str(caught.value).startswith("provider studio: ")
    assert sentence in str(caught.value)


@pytest.mark.parametrize("scheme", ["sftp", "s3"])
def test_a_library_that_is_missing_is_a_sentence_with_the_extra(scheme, monkeypatch):
    monkeypatch.setattr("distribution_center.content.providers.providers.find_spec", lambda _: None)
    with pytest.raises(ProviderUnfit) as caught:
        Providers([ProviderSettings(name="studio", address=f"{scheme}://vod/")])
    assert str(caught.value) == (
        f"provider studio: {scheme} needs the extra `providers`: pip install 'media-station[providers]'"
    )


def test_two_of_one_name_are_refused():
    with pytest.raises(ProviderUnfit, match="two providers have one name"):
        Providers([STUDIO, STUDIO])


def test_credentials_are_read_and_never_shown(tmp_path):
    path = tmp_path / "studio.toml"
    path.write_text('user = "ann"\npassword = "rosebud"\n')
    path.chmod(0o600)
    found = read_credentials(path)
    assert found == Credentials(user="ann", password="rosebud")
    assert "rosebud" not in repr(found)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_credentials_that_others_may_read_are_refused(mode, tmp_path):
    path = tmp_path / "studio.toml"
    path.write_text('user = "ann"\n')
    path.chmod(mode)
    with pytest.raises(SettingsError, match=r"others may read these credentials: `chmod 600` it"):
        Providers([ProviderSettings(name="studio", address="https://vod.example/", credentials=str(path))])


@pytest.mark.parametrize("text", ['password = "rosebud', "password = 7", 'pass = "rosebud"', "\0"])
def test_credentials_that_make_no_sense_are_refused_without_a_word_of_them(text, tmp_path):
    path = tmp_path / "studio.toml"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(SettingsError) as caught:
        read_credentials(path)
    assert "rosebud" not in str(caught.value)
    assert "it is no TOML with some of user, password, token" in str(caught.value)


def test_credentials_that_are_not_there_are_refused(tmp_path):
    with pytest.raises(SettingsError, match="no such file or directory"):
        read_credentials(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("/films/film.mp4", "/films/film.mp4"),
        ("https://films.example/film.mp4", "https://films.example/film.mp4"),
        ("ftp://me:hunter2@films.example/film.mp4", "ftp://films.example/film.mp4"),
        ("ftp://me:p@ss@films.example/a@b.mp4", "ftp://films.example/a@b.mp4"),
        ("https://films.example/film.mp4?sig=TOKEN&x=https://a@b/", "https://films.example/film.mp4?..."),
    ],
)
def test_a_source_is_told_without_its_secrets(source, told):
    assert shown(source) == told

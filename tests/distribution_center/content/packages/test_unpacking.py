"""Hostile archives: nothing leaves the folder, no link, no device, and no more of disk and memory than there may be."""

import asyncio
import io
import struct
import tarfile
import zipfile

import pytest

from distribution_center.content.errors import BadPackage
from distribution_center.content.packages.unpack_process import unpack_apart
from distribution_center.content.packages.unpacking import BadArchive, looks_like_archive, unpack

GENEROUS = 1 << 30
FILES = {"ADI.XML": b"<ADI/>", "films/slope.mp4": bytes(range(256)) * 40}
BAD_NAMES = [
    "/etc/passwd",
    "../out.mp4",
    "a/../../out.mp4",
    "a\\..\\out.mp4",
    "a\x1b.mp4",
    "n" * 300,
    "a/" * 20 + "b",
    ".",
]


def tar(path, files, mode="w"):
    with tarfile.open(path, mode) as packed:
        for name, content in files:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            packed.addfile(entry, io.BytesIO(content))
    return path


def zipped(path, files, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as packed:
        for name, content in files:
            packed.writestr(name, content)
    return path


def in_folder(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def folder(tmp_path):
    inner = tmp_path / "outer" / "inner"
    inner.mkdir(parents=True)
    return inner


def refused(archive, folder, bytes_max=GENEROUS):
    with pytest.raises(BadArchive) as caught:
        unpack(archive, folder, bytes_max)
    assert set(in_folder(folder.parents[1])) <= {f"outer/inner/{name}" for name in in_folder(folder)} | {archive.name}
    return str(caught.value)


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "tar.xz", "zip", "deflated zip"])
def test_what_an_archive_holds_is_unpacked(kind, folder, tmp_path):
    archive, files = tmp_path / "package", FILES.items()
    match kind:
        case "zip":
            zipped(archive, files)
        case "deflated zip":
            zipped(archive, files, zipfile.ZIP_DEFLATED)
        case _:
            tar(archive, files, f"w:{kind.partition('.')[2]}")
    with archive.open("rb") as file:
        assert looks_like_archive(file.read(512))
    unpack(archive, folder, GENEROUS)
    assert in_folder(folder) == FILES


@pytest.mark.parametrize("name", BAD_NAMES)
@pytest.mark.parametrize("make", [tar, zipped])
def test_what_leads_out_of_it_is_refused(make, name, folder, tmp_path):
    assert "leads out of it" in refused(make(tmp_path / "package", [(name, b"x")]), folder)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_are_refused(kind, folder, tmp_path):
    with tarfile.open(tmp_path / "package", "w") as packed:
        entry = tarfile.TarInfo("film.mp4")
        entry.type, entry.linkname = kind, "/etc/passwd"
        packed.addfile(entry)
    assert refused(tmp_path / "package", folder) == "'film.mp4' is a link, or no file"


def test_a_link_in_a_zip_is_refused(folder, tmp_path):
    entry = zipfile.ZipInfo("film.mp4")
    entry.external_attr = 0o120777 << 16
    assert "is a link" in refused(zipped(tmp_path / "package", [(entry, b"/etc/passwd")]), folder)


@pytest.mark.parametrize("make", [tar, zipped])
@pytest.mark.parametrize("names", [("a", "a"), ("a", "a/b")])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_comes_twice_is_refused(make, names, folder, tmp_path):
    assert "comes twice" in refused(make(tmp_path / "package", [(name, b"x") for name in names]), folder)


@pytest.mark.parametrize("make", [tar, zipped])
def test_more_files_than_a_package_has_are_refused(make, folder, tmp_path):
    archive = make(tmp_path / "package", [(f"{number}.xml", b"") for number in range(1001)])
    assert refused(archive, folder) == "it holds more than 1000 files"


@pytest.mark.parametrize("make", [tar, zipped])
def test_more_bytes_than_there_may_be_are_refused_before_they_are_written(make, folder, tmp_path):
    archive = make(tmp_path / "package", [("a", bytes(600)), ("b", bytes(600))])
    assert refused(archive, folder, 1000) == "it would become more than 1000 bytes"
    assert in_folder(folder) == {"a": bytes(600)}


def test_what_grows_as_no_film_does_is_refused(folder, tmp_path):
    archive = zipped(tmp_path / "package", [("film.mp4", bytes(64 << 20))], zipfile.ZIP_DEFLATED)
    assert "it would become more than" in refused(archive, folder)
    assert in_folder(folder) == {}


def test_a_zip_that_says_less_than_it_holds_is_refused(folder, tmp_path):
    archive = zipped(tmp_path / "package", [("film.mp4", bytes(5000))], zipfile.ZIP_DEFLATED)
    octets = archive.read_bytes().replace(struct.pack("<I", 5000), struct.pack("<I", 10))
    archive.write_bytes(octets)
    assert refused(archive, folder) in {"it is damaged, or ends early", "'film.mp4' is longer than it says"}


@pytest.mark.parametrize("make", [tar, zipped])
def test_what_is_damaged_is_a_sentence(make, folder, tmp_path):
    whole = make(tmp_path / "package", [("film.mp4", bytes(5000))]).read_bytes()
    for length in (4, 100, 600, 3000, len(whole) - 10):
        (tmp_path / "package").write_bytes(whole[:length])
        for path in folder.iterdir():
            path.unlink()
        if make is tar and (length < 512 or length > 5632):
            continue  # it looks like no archive, or is whole
        assert refused(tmp_path / "package", folder) == "it is damaged, or ends early"


def apart(archive, folder):
    async def story():
        with pytest.raises(BadPackage) as caught:
            await unpack_apart(archive, folder, source="package.tar", bytes_max=GENEROUS)
        return str(caught.value)

    return asyncio.run(story())


def test_an_archive_that_says_too_much_of_itself_takes_no_memory_of_the_centers(folder, tmp_path):
    """A header of a gigabyte, of which nothing but zeros lie on the disk."""
    archive = tmp_path / "package"
    entry = tarfile.TarInfo("header")
    entry.type, entry.size = tarfile.XHDTYPE, 1 << 30
    archive.write_bytes(entry.tobuf(tarfile.USTAR_FORMAT))
    with archive.open("ab") as file:
        file.truncate(512 + (1 << 30) + 1024)
    assert apart(archive, folder) == (
        "package.tar is no package that can be ingested: what it says of itself takes too much memory"
    )


def test_a_sentence_comes_from_the_process(folder, tmp_path):
    archive = tar(tmp_path / "package", [("../a", b"")])
    assert "'../a' leads out of it" in apart(archive, folder)

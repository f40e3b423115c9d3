"""`blade-agent image`: an image is verified to its last octet, and described so that it can be."""

import json
import subprocess

import pytest
import zstandard
from click.testing import CliRunner

from blade_agent.cli import main
from blade_agent.image.manifest import CHUNK_BYTES, manifest_octets, parse_manifest
from blade_agent.image.payload import describe
from blade_agent.image.progress import Progress
from blade_agent.image.signed_image import manifest_path
from tests.blade_agent.image.images import (
    HELD,
    MINIMUM,
    PROFILE,
    RELEASE,
    SIZE,
    Signer,
    make_image,
    pack,
    put_manifest,
    sign_image,
    signed_image,
)


@pytest.fixture
def image(tmp_path):
    return signed_image(tmp_path)


def verify(image, *more):
    return CliRunner().invoke(main, ["image", "verify", str(image), "--key", str(image.with_name("image.pub")), *more])


def assert_refused(result, said):
    assert result.exit_code == 3, result.output
    assert said in result.stderr
    assert "Hint: " in result.stderr


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
def test_an_image_as_it_was_signed(image, packed):
    path = pack(image) if packed else image
    result = verify(path)
    assert (result.exit_code, result.output) == (
        0,
        f"{path}: release {RELEASE} for {PROFILE}, as signed: a test's\n",
    )
    told = json.loads(verify(path, "--json").stdout)
    assert (told["size_bytes"], told["mapped_bytes"], told["minimum"]) == (SIZE, 3 * CHUNK_BYTES + 100 * 4096, MINIMUM)


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
@pytest.mark.parametrize("number", HELD)
def test_one_bit_of_the_payload_that_is_wrong_in_any_chunk(image, number, packed):
    """A signature that is right does not help an image that is not."""
    with image.open("r+b") as file:
        file.seek(number * CHUNK_BYTES + 4095)
        octet = file.read(1)[0]
        file.seek(-1, 1)
        file.write(bytes([octet ^ 1]))
    assert_refused(verify(pack(image) if packed else image), f"chunk {number} of 7 is not what was signed")


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
@pytest.mark.parametrize("number", sorted(set(range(7)) - set(HELD)))
def test_something_in_a_chunk_of_which_nothing_was_signed(image, number, packed):
    """Whoever copies the whole image would have it on his disk."""
    with image.open("r+b") as file:
        file.seek(number * CHUNK_BYTES + 4095)
        file.write(b"x")
    refused = f"chunk {number} of 7 holds something that was not signed"
    assert_refused(verify(pack(image) if packed else image), refused)


@pytest.mark.parametrize("length", [0, 100, CHUNK_BYTES, 4 * CHUNK_BYTES, SIZE - 1, SIZE + 1])
def test_an_image_that_is_cut_or_goes_on(image, length):
    with image.open("r+b") as file:
        file.truncate(length)
    assert_refused(verify(image), f"it does not have {SIZE} bytes")
    assert_refused(verify(pack(image)), "it ends in chunk" if length < SIZE else f"it does not end after {SIZE} bytes")


def test_a_packed_file_that_is_damaged_or_cut(image):
    packed = pack(image)
    whole = packed.read_bytes()
    for octets in (
        whole[:-1],
        whole[:1000],
        b"",
        b"no zstd at all",
        whole[:5000] + b"\0" * 50 + whole[5050:],
        whole * 2,
    ):
        packed.write_bytes(octets)
        assert_refused(verify(packed), str(packed))


def test_a_small_file_that_unpacks_to_very_much_is_given_up(image):
    """Ten thousand times its size: what is beyond the image is not read."""
    packed = image.with_name(f"{image.name}.zst")
    packed.write_bytes(zstandard.ZstdCompressor().compress(bytes(64 << 20)))
    assert_refused(verify(packed), "chunk 0 of 7 is not what was signed")


def test_a_manifest_that_was_changed(image):
    path = manifest_path(image)
    path.write_bytes(path.read_bytes().replace(b"0.2.0", b"0.3.0"))
    assert_refused(verify(image), "its signature is wrong")


def test_a_manifest_of_somebody_else(image):
    put_manifest(image, manifest_path(image).read_bytes(), Signer(2))
    image.with_name("image.pub").write_bytes(Signer(1).public())
    assert_refused(verify(image), "it was signed with key 0202020202020202, not with 0101010101010101")


def test_a_manifest_that_was_signed_and_makes_no_sense(image):
    put_manifest(image, b'{"format": 2}', Signer(1))
    assert_refused(verify(image), "blade.img.manifest: format is 2; it must be")


@pytest.mark.parametrize("missing", ["blade.img.manifest", "blade.img.manifest.minisig"])
def test_what_is_not_signed(image, missing):
    image.with_name(missing).unlink()
    assert_refused(verify(image), f"is not signed: {image.with_name(missing)} cannot be read")


def test_a_key_or_an_image_that_is_not_there(image):
    assert CliRunner().invoke(main, ["image", "verify", "/nowhere/blade.img"]).exit_code == 2
    image.with_name("image.pub").unlink()
    assert verify(image).exit_code == 2


# Describing


def run(*words):
    return CliRunner().invoke(main, ["image", *map(str, words)])


@pytest.mark.peer("minisign", "zstd", "bmaptool")
def test_an_image_is_described_signed_and_packed_by_the_tools_of_others(tmp_path):
    image = make_image(tmp_path / "blade.img")
    result = run("describe", image, "--profile", PROFILE, "--release", RELEASE)
    assert result.exit_code == 0, result.output

    def tool(*words):
        subprocess.run(words, cwd=tmp_path, capture_output=True, check=True, timeout=120)

    tool("minisign", "-G", "-W", "-p", "image.pub", "-s", "image.key")
    tool("minisign", "-S", "-s", "image.key", "-m", "blade.img.manifest", "-t", "night build")
    tool("zstd", "--quiet", "blade.img")
    packed = tmp_path / "blade.img.zst"
    result = verify(packed)
    assert (result.exit_code, result.stdout) == (0, f"{packed}: release 0.2.0 for virt-arm64, as signed: night build\n")
    tool("bmaptool", "copy", "blade.img.zst", "target")
    assert (tmp_path / "target").read_bytes() == image.read_bytes()


def test_what_is_there_is_not_described_anew(image):
    before = manifest_path(image).read_bytes()
    result = run("describe", image, "--profile", PROFILE, "--release", "9.9.9")
    assert result.exit_code == 1
    assert "is there already, and is left as it is" in result.stderr
    assert manifest_path(image).read_bytes() == before


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--profile", "Two Words", "--release", "1.2.3"), "profile is 'Two Words'"),
        (("--profile", PROFILE, "--release", "new"), "'new' is no release"),
        (("--profile", PROFILE, "--release", "1.2.3", "--minimum", "1.3.0"), "minimum is beyond the release"),
    ],
)
def test_what_cannot_be_described(tmp_path, options, said):
    image = make_image(tmp_path / "blade.img")
    result = run("describe", image, *options)
    assert result.exit_code == 1
    assert said in result.stderr
    assert not manifest_path(image).exists()


def test_a_packed_image_is_not_described(image):
    result = run("describe", pack(image), "--profile", PROFILE, "--release", RELEASE)
    assert (result.exit_code, "is packed" in result.stderr) == (1, True)


def test_json_says_what_was_written(tmp_path):
    image = make_image(tmp_path / "blade.img")
    told = json.loads(run("describe", image, "--profile", PROFILE, "--release", RELEASE, "--json").stdout)
    assert told == {
        "files": [f"{image}.manifest", f"{image}.bmap"],
        "size_bytes": SIZE,
        "mapped_bytes": 3 * CHUNK_BYTES + 100 * 4096,
    }
    manifest = describe(image, profile=PROFILE, release=RELEASE, minimum="0.0.0")
    assert parse_manifest(manifest_path(image).read_bytes()) == manifest
    sign_image(image, Signer(1), minimum="0.0.0")
    assert manifest_path(image).read_bytes() == manifest_octets(manifest)


def test_a_line_of_progress():
    now = [10.0]
    progress = Progress("written", 200_000_000, lambda: now[0])
    assert progress.line(now[0]).endswith("0 of 200 MB  0.0 MB/s  ?")
    progress.add(50_000_000)
    now[0] = 12.0
    assert progress.line(12.0) == "written  [######                  ]   25%  50 of 200 MB  25.0 MB/s  0:06 left"
    progress.add(150_000_000)
    assert "100%  200 of 200 MB" in progress.line(20.0)

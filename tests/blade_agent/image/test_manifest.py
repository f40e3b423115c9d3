"""The manifest of an image: what it says, what it refuses, and that bmaptool reads its block map."""

import json
import os
import subprocess

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blade_agent.image.manifest import (
    CHUNK_BYTES,
    MANIFEST_BYTES_MAX,
    ChunkRun,
    ManifestRefused,
    block_map,
    manifest_octets,
    parse_manifest,
    runs_of,
)
from blade_agent.image.payload import describe
from tests.blade_agent.image.images import HELD, MINIMUM, PROFILE, RELEASE, SIZE, make_image


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    return make_image(tmp_path_factory.mktemp("image") / "blade.img")


@pytest.fixture(scope="module")
def manifest(image):
    return describe(image, profile=PROFILE, release=RELEASE, minimum=MINIMUM)


def test_it_says_what_holds_something(manifest):
    assert tuple(manifest.digests) == HELD
    assert [run.first for run in manifest.chunks] == [0, 3, 6]
    assert (manifest.size_bytes, manifest.chunk_count, manifest.length_of(6)) == (SIZE, 7, 100 * 4096)
    assert manifest.mapped_bytes == 3 * CHUNK_BYTES + 100 * 4096


def test_the_same_image_has_the_same_manifest_and_it_comes_back(image, manifest):
    octets = manifest_octets(manifest)
    assert manifest_octets(describe(image, profile=PROFILE, release=RELEASE, minimum=MINIMUM)) == octets
    assert parse_manifest(octets) == manifest


def test_an_image_that_holds_nothing(tmp_path):
    path = make_image(tmp_path / "empty.img", held=())
    assert describe(path, profile=PROFILE, release=RELEASE, minimum=MINIMUM).chunks == ()


@given(st.dictionaries(st.integers(0, 40), st.sampled_from(["a" * 64, "b" * 64])))
def test_runs_are_chunks_that_follow_each_other(digests):
    runs = runs_of(digests)
    assert {run.first + at: digest for run in runs for at, digest in enumerate(run.digests)} == digests
    ends = [run.first + len(run.digests) for run in runs]
    assert all(run.first > end for run, end in zip(runs[1:], ends, strict=False))


DIGEST = "a" * 64
SENSELESS = (
    ("format", 2, "format is 2; it must be"),
    ("kind", "slot", "kind is 'slot'; it must be one of disk, system"),
    ("profile", "Two Words", "profile is 'Two Words'; it must be 1 to 32"),
    ("release", "1.2", "release is '1.2'"),
    ("release", "1.2.99999", "is no release"),
    ("minimum", "9.0.0", "minimum is beyond the release itself"),
    ("size_bytes", 0, "size_bytes is 0"),
    ("size_bytes", CHUNK_BYTES, "is beyond the end of the image"),
    ("chunk_bytes", 4097, "no multiple of 4096"),
    ("chunk_bytes", 1 << 30, "chunk_bytes is 1073741824"),
    ("chunks", [{"first": 3, "digests": [DIGEST]}, {"first": 0, "digests": [DIGEST]}], "chunk 0 comes after chunk 4"),
    ("chunks", [{"first": 0, "digests": [DIGEST, DIGEST]}, {"first": 1, "digests": [DIGEST]}], "chunk 1 comes after"),
    ("chunks", [{"first": 7, "digests": [DIGEST]}], "chunk 7 is beyond the end"),
    ("chunks", [{"first": 0, "digests": []}], "chunks[0].digests"),
    ("chunks", [{"first": 0, "digests": ["A" * 64]}], "chunks[0].digests[0] is"),
    ("more", 1, "more is not a key of a manifest"),
)


@pytest.mark.parametrize(("key", "value", "said"), SENSELESS)
def test_what_makes_no_sense_is_refused(manifest, key, value, said):
    document = json.loads(manifest_octets(manifest)) | {key: value}
    with pytest.raises(ManifestRefused) as refused:
        parse_manifest(json.dumps(document).encode())
    assert said in str(refused.value)


@pytest.mark.parametrize("octets", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b" " * (MANIFEST_BYTES_MAX + 1)])
def test_octets_of_anybody_are_refused(octets):
    with pytest.raises(ManifestRefused):
        parse_manifest(octets)


def test_a_manifest_of_the_largest_image_is_not_too_long(manifest):
    chunks = (ChunkRun(0, (DIGEST,) * 65_536),)
    large = msgspec.structs.replace(manifest, size_bytes=64 << 30, chunks=chunks)
    octets = manifest_octets(large)
    assert len(octets) < MANIFEST_BYTES_MAX
    assert parse_manifest(octets) == large


@pytest.mark.peer("bmaptool")
@pytest.mark.parametrize("size", [SIZE, SIZE - 1000, CHUNK_BYTES, 4096])
def test_bmaptool_writes_by_our_block_map_and_checks_its_digests(tmp_path, size):
    held = [number for number in HELD if number * CHUNK_BYTES < size]
    image = make_image(tmp_path / "blade.img", size=size, held=held)
    said = block_map(describe(image, profile=PROFILE, release=RELEASE, minimum=MINIMUM))
    (tmp_path / "blade.img.bmap").write_text(said)

    def copy(target):
        command = ["bmaptool", "copy", "--bmap", str(tmp_path / "blade.img.bmap"), str(image), str(target)]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    copied = copy(tmp_path / "target")
    assert copied.returncode == 0, copied.stderr
    assert (tmp_path / "target").read_bytes() == image.read_bytes()
    with image.open("r+b") as file:
        file.seek(100)
        file.write(b"tampered")
    tampered = copy(tmp_path / "other")
    assert (tampered.returncode != 0, "checksum mismatch for blocks range" in tampered.stderr) == (True, True)
    (tmp_path / "blade.img.bmap").write_text(said.replace("<BlocksCount> ", "<BlocksCount>  "))
    changed = copy(tmp_path / "third")
    assert (changed.returncode != 0, "checksum" in changed.stderr) == (True, True)


@pytest.mark.peer("bmaptool")
def test_what_bmaptool_calls_mapped_is_in_ours(tmp_path, image, manifest):
    made = subprocess.run(["bmaptool", "create", str(image)], capture_output=True, text=True, timeout=120, check=True)
    said = [line.split(">")[1].split("<")[0].split() for line in made.stdout.splitlines() if "<Range" in line]
    theirs = set()
    for (span,) in said:
        first, _, last = span.partition("-")
        theirs |= {block * 4096 // CHUNK_BYTES for block in range(int(first), int(last or first) + 1)}
    assert theirs == set(manifest.digests)
    assert os.stat(image).st_blocks * 512 < SIZE

"""The record in its sector, its two copies, and every way in which a write may be torn."""

import os
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blade_agent.boot.boot_copies import COPY_OFFSETS, PARTITION_BYTES, BootCopies, BootNotKept, NoBootState
from blade_agent.boot.boot_record import SECTOR_BYTES, BootRecord, NoBootRecord
from blade_agent.boot.boot_state import Standing, SystemSlot, UpdateRefused, apply, begin, commit, stage
from blade_agent.boot.running_slot import running_slot
from tests.blade_agent.boot.boot_states import FIRST, RELEASES, all_states

CLOSE = (0, SECTOR_BYTES)
PENDING = apply(stage(begin(FIRST), RELEASES[1], RELEASES[1]))


@pytest.fixture
def copies(tmp_path):
    path = tmp_path / "boot-state"
    path.write_bytes(bytes(2 * SECTOR_BYTES))
    made = BootCopies(path, CLOSE)
    made.begin(FIRST)
    return made


def test_every_state_comes_back():
    for generation, state in enumerate(all_states()):
        sector = BootRecord(generation, state).sector()
        assert len(sector) == SECTOR_BYTES
        assert BootRecord.of_sector(sector) == BootRecord(generation, state)


def test_the_octets_are_these():
    sector = BootRecord(0x1F, PENDING).sector()
    assert sector[4:].rstrip(b"\0").split(b"\0") == [
        b"boot_format=1",
        b"boot_generation=1f",
        b"boot_good=a",
        b"boot_other=pending",
        b"boot_tries=3",
        b"boot_minimum=0.1.0",
        b"boot_staged_minimum=0.2.0",
        b"boot_release_a=0.1.0",
        b"boot_release_b=0.2.0",
    ]
    assert sector[:4].hex() == "28f0ffa0"


@given(st.binary(max_size=600))
def test_octets_of_anybody_are_no_record(octets):
    with pytest.raises(NoBootRecord):
        BootRecord.of_sector(octets)


SENSELESS = (
    ("boot_format=1", "boot_format=2"),
    ("boot_good=a", "boot_good=c"),
    ("boot_good=a", "good=a"),
    ("boot_generation=3", "boot_generation=-3"),
    ("boot_tries=3", "boot_tries=ffffffffff"),
    ("boot_tries=3", "boot_tries=a"),
    ("boot_other=pending", "boot_other=good"),
    ("boot_other=pending", "boot_other=failed"),
    ("boot_other=pending", "boot_other=empty"),
    ("boot_release_a=0.1.0", "boot_release_a=0.0.9"),
    ("boot_release_b=0.2.0", "boot_release_b=0.2"),
    ("boot_staged_minimum=0.2.0\0", ""),
    ("boot_release_a=0.1.0\0", ""),
)


def sealed(content):
    return zlib.crc32(content).to_bytes(4, "little") + content


@pytest.mark.parametrize(("right", "wrong"), SENSELESS)
def test_what_makes_no_sense_is_none_although_its_checksum_is_right(right, wrong):
    content = BootRecord(3, PENDING).sector()[4:]
    assert right.encode() in content
    changed = content.replace(right.encode(), wrong.encode())[: len(content)].ljust(len(content), b"\0")
    with pytest.raises(NoBootRecord):
        BootRecord.of_sector(sealed(changed))


def test_variables_of_others_are_passed_over():
    content = BootRecord(3, PENDING).sector()[4:].rstrip(b"\0") + b"\0bootdelay=2\0boot_later=x\0no sign\0"
    assert BootRecord.of_sector(sealed(content.ljust(SECTOR_BYTES - 4, b"\0"))).state == PENDING


# Two copies


def test_a_change_is_kept_and_the_copy_before_it_too(copies):
    before = copies.path.read_bytes()
    assert copies.change(lambda _: PENDING) == PENDING
    assert copies.read() == PENDING
    after = copies.path.read_bytes()
    changed = [offset for offset in CLOSE if before[offset:][:SECTOR_BYTES] != after[offset:][:SECTOR_BYTES]]
    assert changed == [0], "the first copy was the older one"


def test_what_changes_nothing_writes_nothing_and_a_refusal_neither(copies):
    before = copies.path.read_bytes()
    copies.change(lambda state: state)
    with pytest.raises(UpdateRefused):
        copies.change(lambda state: commit(state, SystemSlot.B))
    assert copies.path.read_bytes() == before


def torn(before, after):
    """Every state in which a write may leave a sector: so much of its begin, of its end, or nothing that was there."""
    for length in range(SECTOR_BYTES + 1):
        yield after[:length] + before[length:]
        yield before[:length] + after[length:]
    for mess in (b"\0", b"\xff", b"\xa5"):
        yield mess * SECTOR_BYTES
        for length in range(0, SECTOR_BYTES, 64):
            yield after[:length] + mess * (SECTOR_BYTES - length)


def test_a_torn_sector_leaves_the_state_before_or_the_one_after(copies):
    states = [begin(FIRST), stage(begin(FIRST), RELEASES[1], RELEASES[0]), PENDING, FIRST]
    seen = 0
    for state in states:
        before, was = copies.path.read_bytes(), copies.read()
        copies.change(lambda _, then=state: then)
        after = copies.path.read_bytes()
        for place in CLOSE:
            old, new = before[place:][:SECTOR_BYTES], after[place:][:SECTOR_BYTES]
            if old == new:
                continue
            for sector in torn(old, new):
                with copies.path.open("r+b", buffering=0) as disk:
                    disk.write(after[:place] + sector + after[place + SECTOR_BYTES :])
                assert copies.read() in (was, state)
                seen += 1
                if seen % 50 == 0:  # Whoever comes next goes on from there.
                    assert copies.change(lambda _: PENDING) == copies.read() == PENDING
        copies.path.write_bytes(after)
    assert seen > 3 * SECTOR_BYTES


def test_without_a_copy_that_is_whole_it_says_so_of_both(copies):
    copies.path.write_bytes(bytes(2 * SECTOR_BYTES))
    with pytest.raises(NoBootState, match=r"first copy is damaged \(its checksum is wrong\), and the second"):
        copies.read()
    with pytest.raises(NoBootState):
        copies.change(lambda state: state)


def test_a_disk_that_does_not_keep_it_is_noticed(copies, monkeypatch):
    sync = os.fsync

    def losing(descriptor):
        sync(descriptor)
        os.pwrite(descriptor, b"?", 100)

    monkeypatch.setattr(os, "fsync", losing)
    with pytest.raises(BootNotKept, match="does not keep what is written"):
        copies.change(lambda _: PENDING)
    monkeypatch.undo()
    assert copies.read() == FIRST
    with pytest.raises(OSError, match="No space left"):
        BootCopies("/dev/full", CLOSE).begin(FIRST)


def test_the_copies_are_apart_and_inside_the_partition():
    assert COPY_OFFSETS[1] - COPY_OFFSETS[0] >= 4 << 20
    assert COPY_OFFSETS[1] + SECTOR_BYTES <= PARTITION_BYTES


# Which slot runs


@pytest.mark.parametrize(
    ("line", "slot"),
    [
        ("media_station.slot=b", SystemSlot.B),
        ("media_station.slot=a media_station.slot=b x", SystemSlot.B),
        ("media_station.slot=c", None),
        ("xmedia_station.slot=a", None),
        ("", None),
        ("x" * 10_000 + " media_station.slot=a", None),
    ],
)
def test_the_command_line_names_the_running_slot(tmp_path, line, slot):
    (tmp_path / "cmdline").write_text(line)
    assert running_slot(tmp_path / "cmdline") is slot


def test_a_system_without_a_command_line_runs_from_none(tmp_path):
    assert running_slot(tmp_path / "nothing") is None
    assert Standing.EMPTY is FIRST.other

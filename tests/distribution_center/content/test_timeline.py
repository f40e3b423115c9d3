"""One time line of films that were joined: hypothesis joins them."""

from hypothesis import given
from hypothesis import strategies as st

from distribution_center.content.timeline import TimelineReader

PICTURE_US, SOUND_US = 40_000, 20_000


def read(stretches: list[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """Stream, stretch and moved time of each packet of films that begin at a time and last so many pictures."""
    reader = TimelineReader(2, spliced=True)
    seen = []
    for number, (begin_us, pictures) in enumerate(stretches):
        for picture in range(pictures):
            due = [(0, begin_us + picture * PICTURE_US, PICTURE_US)]
            due += [(1, begin_us + picture * PICTURE_US + step, SOUND_US) for step in (0, SOUND_US)]
            for stream, due_us, lasts_us in due:
                reader.cover(reader.read(stream, due_us), due_us, due_us + lasts_us)
                seen.append((stream, number, due_us))
    timeline = reader.timeline()
    shifts = [timeline.follow(0), timeline.follow(1)]
    return [(stream, number, due_us + shifts[stream].next_us()) for stream, number, due_us in seen]


@given(
    st.lists(st.tuples(st.integers(0, 1000), st.integers(10, 40)), min_size=1, max_size=6).map(
        lambda parts: [(begin * 20_000_000, count) for begin, count in parts]
    )
)
def test_joined_films_follow_each_other_and_keep_their_distances(stretches: list[tuple[int, int]]) -> None:
    moved = read(stretches)
    begins = [stretches[0][0]]
    for _, count in stretches:
        begins.append(begins[-1] + count * PICTURE_US)
    for stream, number, at_us in moved:
        assert begins[number] <= at_us < begins[number + 1], (stream, number)
    for stream in (0, 1):
        times = [at_us for of, _, at_us in moved if of == stream]
        assert times == sorted(set(times))


def test_a_still_with_sound_is_no_joint() -> None:
    reader = TimelineReader(2, spliced=True)
    assert reader.read(0, 0) == 0
    for due_us in range(0, 15_000_000, SOUND_US):
        assert reader.read(1, due_us) == 0
    assert reader.read(0, 15_000_000) == 0


def test_silence_and_no_picture_is_a_joint() -> None:
    reader = TimelineReader(2, spliced=True)
    reader.read(0, 0)
    reader.read(1, 0)
    assert reader.read(0, 15_000_000) == 1
    assert reader.read(1, 15_000_000) == 1


def test_only_containers_that_are_made_to_be_cut_jump_ahead() -> None:
    reader = TimelineReader(1, spliced=False)
    reader.read(0, 0)
    assert reader.read(0, 15_000_000) == 0
    assert reader.read(0, 1_000_000) == 1

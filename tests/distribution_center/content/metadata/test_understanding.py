"""What is understood of metadata, what is kept of them, and what is warned of."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from distribution_center.content.errors import BadMetadata
from distribution_center.content.metadata.moments import moment, run_time_ms
from distribution_center.content.metadata.program_metadata import MetadataForm
from distribution_center.content.metadata.reading import looks_like_metadata, read_metadata
from tests.distribution_center.content.metadata.documents import ADI, PLAIN, SCTE_236, SCTE_236_BY_NAME

DENVER = ZoneInfo("America/Denver")


def read(document, zone=UTC):
    return read_metadata(document.encode() if isinstance(document, str) else document, "slope.xml", zone)


def ms(*moment, zone=UTC):
    return int(datetime(*moment, tzinfo=zone).timestamp() * 1000)


def values(metadata, name):
    return [(one.asset, one.value) for one in metadata.fields if one.name == name]


@pytest.mark.parametrize(
    ("document", "form"), [(ADI, MetadataForm.ADI), (SCTE_236, MetadataForm.SCTE_236), (PLAIN, MetadataForm.JSON)]
)
def test_the_three_forms_say_the_same(document, form):
    found = read(document)
    assert found.form is form
    assert found.title == "A slope & wanders"
    assert found.languages == ("en",)
    assert found.genres[0] == "Nature"
    assert found.window_begins_ms == ms(2030, 1, 2)
    assert found.window_ends_ms == (ms(2031, 1, 3) if document is ADI else ms(2031, 1, 2))
    assert found.run_time_ms == (4000 if document is ADI else 4_856_000)
    film = found.film
    assert (film.file, film.length_bytes, film.md5) == ("slope.mp4", 1000, "2680090e51970e67b412af35201b9053")


def test_assets_may_be_told_by_their_names():
    found = read(SCTE_236_BY_NAME)
    assert (found.title, found.film.file) == ("Slope", "slope.mp4")


def test_what_nobody_understands_is_kept_as_it_came():
    adi, scte, plain = read(ADI), read(SCTE_236), read(PLAIN)
    assert values(adi, "Category") == [("title", "Hills"), ("title", "Hills/High")]
    assert values(adi, "Steepness") == [("title", "12")]
    assert values(scte, "Steepness") == [("title", "12")]
    assert values(plain, "steepness") == [("program", "12"), ("program", "13")]
    assert values(plain, "author.name") == [("program", "Ann")]
    names = [one.name for one in adi.fields if one.asset == "title"]
    assert names.index("Category") < names.index("Genre") < names.index("Steepness")
    [steepness] = [one for one in adi.fields if one.name == "Steepness"]
    assert ADI.splitlines()[steepness.line - 1].strip().startswith('<App_Data App="HILL" Name="Steepness"')


@pytest.mark.parametrize(
    ("before", "after", "warning"),
    [
        ('Value="00:00"', 'Value="03:00"', "it says that it runs 4 s, and 10800 s for display"),
        ('Value="00:00:04"', 'Value="soon"', "line 15: Run_Time is left out: 'soon' is no run time"),
        ('Value="1000"', 'Value="-1"', "line 25: Content_FileSize is left out: '-1' is no number of bytes"),
        ("2680090E", "", "Content_CheckSum is left out: '51970E67B412AF35201B9053' is neither"),
        ('Value="2030-01-02"', 'Value="2032-01-02"', "its window ends before it begins: neither time is taken"),
        ('Value="2030-01-02"', 'Value="02.01.2030"', "Licensing_Window_Start is left out: '02.01.2030' is no date"),
        ('Asset_ID="HILL3"', 'Asset_ID="HILL2"', "line 30: two assets are called hill.example/HILL2"),
        ('Asset_Class="poster"', 'Asset_Class="movie"', "it names 2 films: the first one is taken"),
        ('Asset_Class="movie"', 'Asset_Class="preview"', "it names no film"),
        ('<Content Value="slope.mp4"/>', "", "the movie has no file"),
        ('Value="eng"', 'Value="the usual"', "'the usual' is no language"),
        ('Name="Category" Value="Hills"', 'Name="Title" Value="B"', "line 12: Title comes again and is another"),
        ('Value="2030-01-02"', 'Value="1930-01-02"', "'1930-01-02' is before 1970"),
    ],
)
def test_what_contradicts_itself_or_is_missing_is_warned_of(before, after, warning):
    assert not any(warning in one for one in read(ADI).warnings)
    assert before in ADI
    found = read(ADI.replace(before, after, 1))
    assert any(warning in one for one in found.warnings), found.warnings


def test_without_a_title_there_is_a_warning():
    document = ADI.replace('Name="Title"', 'Name="Untitled"').replace('Asset_Name="Slope"', "")
    found = read(document)
    assert found.title is None
    assert "it has no title: the name of the file is taken" in found.warnings


def test_a_time_without_a_zone_is_of_the_zone_that_was_named():
    found = read(ADI, DENVER)
    assert found.window_begins_ms == ms(2030, 1, 2, 7)
    assert "its times have no zone: they are taken as America/Denver" in found.warnings
    assert not any("zone" in warning for warning in read(SCTE_236, DENVER).warnings)


@pytest.mark.parametrize(
    ("text", "end", "at_ms"),
    [
        ("2026-12-24", False, ms(2026, 12, 24)),
        ("2026-12-24", True, ms(2026, 12, 25)),
        ("2026-12-24T20:00:00", True, ms(2026, 12, 24, 20)),
        ("2026-12-24T20:00:00Z", False, ms(2026, 12, 24, 20)),
        ("2026-12-24T20:00:00+01:00", False, ms(2026, 12, 24, 19)),
        ("2026-12-31", True, ms(2027, 1, 1)),
    ],
)
def test_dates_with_and_without_a_time(text, end, at_ms):
    assert moment(text, UTC, end_of_day=end).at_ms == at_ms


def test_the_hour_that_a_clock_leaves_out_is_a_moment_all_the_same():
    found = moment("2026-03-29T02:30:00", ZoneInfo("Europe/Berlin"), end_of_day=False)
    assert found.at_ms == ms(2026, 3, 29, 1, 30)


@pytest.mark.parametrize("text", ["", "2026-02-30", "9999-12-31", "0001-01-01", "24.12.2026", "x" * 10_000])
def test_what_is_no_date_is_a_sentence(text):
    with pytest.raises(ValueError, match=r"is no date|before 1970"):
        moment(text, ZoneInfo("Etc/GMT+12"), end_of_day=True)


@pytest.mark.parametrize(
    ("text", "length_ms"),
    [("01:02:03", 3_723_000), ("01:02", 3_720_000), ("PT1H2M3.5S", 3_723_500), ("P1DT1S", 86_401_000), ("90", 90_000)],
)
def test_run_times(text, length_ms):
    assert run_time_ms(text) == length_ms


@pytest.mark.parametrize("text", ["", "P", "PT", "1:2:3:4", "01:99", "-1", "1e9", "9" * 5000])
def test_what_is_no_run_time(text):
    with pytest.raises(ValueError, match="is no run time"):
        run_time_ms(text)


@pytest.mark.parametrize(
    ("document", "line", "reason"),
    [
        ("<films/>", 1, "it is a 'films'"),
        ('{\n"title": "A",\n}', 3, "this is no JSON"),
        ("[" * 100_000, 0, "it is no metadata"),
        ('{"a":' * 5000, 0, "objects in each other"),
        ('{"a": NaN}', 0, "a number that is none"),
        ('{"a": 1' + "0" * 5000 + "}", 0, "a number that is none"),
        ('{"a": [' + "1," * 20_001 + "1]}", 0, "more than 20000 values"),
        ('{"a": "' + "x" * (1 << 20) + '"}', 0, "bytes, and metadata have at most"),
        (b'{"a": "\xff"}', 0, "it is not in UTF-8"),
        ("film", 0, "it is no metadata"),
    ],
)
def test_what_is_no_metadata_is_refused_with_its_line(document, line, reason):
    with pytest.raises(BadMetadata) as caught:
        read(document)
    assert caught.value.line == line
    assert reason in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_json_in_other_encodings(encoding):
    octets = PLAIN.encode(encoding)
    assert looks_like_metadata(octets)
    assert read(octets).title == "A slope & wanders"


def test_many_assets_that_are_wrong_cost_little():
    one = '<Asset><Metadata><AMS Asset_ID="1" Asset_Class="x"/></Metadata></Asset>\n'
    found = read(f"<ADI>{one * 4000}</ADI>")
    assert len(found.others) == 4000
    assert len(found.warnings) == 100

"""The tables of a headquarters, and how those of an earlier release become these: a step a version."""

VERSION = 2

# What is counted is counted where it changes: nobody looks through all programs, or orders, to say how many there are.
_COUNTS = """
CREATE TABLE counts (
    center TEXT PRIMARY KEY,
    programs INTEGER NOT NULL DEFAULT 0,
    open_downloads INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE TRIGGER program_added AFTER INSERT ON programs BEGIN
    INSERT INTO counts (center, programs) VALUES (NEW.center, 1)
        ON CONFLICT (center) DO UPDATE SET programs = programs + 1;
END;
CREATE TRIGGER program_removed AFTER DELETE ON programs BEGIN
    UPDATE counts SET programs = programs - 1 WHERE center = OLD.center;
END;
CREATE TRIGGER download_added AFTER INSERT ON downloads BEGIN
    INSERT INTO counts (center, open_downloads) VALUES (NEW.center, 1 - NEW.final)
        ON CONFLICT (center) DO UPDATE SET open_downloads = open_downloads + 1 - NEW.final;
END;
CREATE TRIGGER download_moved AFTER UPDATE OF final ON downloads BEGIN
    UPDATE counts SET open_downloads = open_downloads + OLD.final - NEW.final WHERE center = OLD.center;
END;
CREATE TRIGGER download_removed AFTER DELETE ON downloads BEGIN
    UPDATE counts SET open_downloads = open_downloads - 1 + OLD.final WHERE center = OLD.center;
END;
"""
_PLACES = """
CREATE TABLE places (
    center TEXT NOT NULL,
    program TEXT NOT NULL,
    station TEXT NOT NULL,
    segments INTEGER NOT NULL,
    of INTEGER NOT NULL,
    round INTEGER NOT NULL,
    PRIMARY KEY (center, program, station)
) STRICT, WITHOUT ROWID;
CREATE INDEX places_by_round ON places (center, round);
"""
# A round is once through the feeds of a center from their beginning. What a new one has not told of is of no feed.
_CENTERS = """
CREATE TABLE centers (
    center TEXT PRIMARY KEY,
    round INTEGER NOT NULL DEFAULT 0,
    begun_at_ms INTEGER NOT NULL DEFAULT 0,
    since INTEGER NOT NULL DEFAULT 0,
    shares_since INTEGER NOT NULL DEFAULT 0,
    known_ms INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
"""
_PROGRAM_INDEXES = """
CREATE INDEX programs_by_center ON programs (center, program);
CREATE INDEX programs_by_film ON programs (sha256, program, center);
CREATE INDEX programs_by_round ON programs (center, round);
"""
_DOWNLOAD_INDEXES = """
CREATE INDEX downloads_by_center ON downloads (center, cancelling, number) WHERE NOT settled;
"""
TABLES = f"""
{_CENTERS}
CREATE TABLE programs (
    program TEXT NOT NULL,
    center TEXT NOT NULL,
    version INTEGER NOT NULL,
    round INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    words TEXT NOT NULL,
    entry BLOB NOT NULL,
    PRIMARY KEY (program, center)
) STRICT, WITHOUT ROWID;
{_PROGRAM_INDEXES}
{_PLACES}
CREATE TABLE orders (
    number INTEGER PRIMARY KEY,
    token TEXT NOT NULL UNIQUE,
    said BLOB NOT NULL,
    ordered_at_ms INTEGER NOT NULL,
    over INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX orders_by_end ON orders (number) WHERE over;
CREATE TABLE downloads (
    number INTEGER NOT NULL,
    place INTEGER NOT NULL,
    center TEXT NOT NULL,
    said BLOB NOT NULL,
    final INTEGER NOT NULL DEFAULT 0,
    settled INTEGER NOT NULL DEFAULT 0,
    cancelling INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (number, place)
) STRICT, WITHOUT ROWID;
{_DOWNLOAD_INDEXES}
{_COUNTS}
"""
STEPS = {
    # 1 to 2: places have a feed, and what is counted is. The feeds are followed from their beginning once more, and
    # what they have told so far stays until then.
    1: f"""
ALTER TABLE centers RENAME TO centers_1;
{_CENTERS}
INSERT INTO centers (center, round) SELECT center, round FROM centers_1;
DROP TABLE centers_1;
DROP INDEX programs_by_film;
ALTER TABLE programs RENAME COLUMN title TO words;
UPDATE programs SET words = lower(program || ' ' || words);
ALTER TABLE programs DROP COLUMN place;
ALTER TABLE programs DROP COLUMN looked_ms;
CREATE INDEX programs_by_film ON programs (sha256, program, center);
CREATE INDEX programs_by_round ON programs (center, round);
{_PLACES}
DROP INDEX downloads_by_center;
ALTER TABLE downloads ADD COLUMN cancelling INTEGER NOT NULL DEFAULT 0;
{_DOWNLOAD_INDEXES}
{_COUNTS}
INSERT INTO counts (center, programs) SELECT center, count(*) FROM programs GROUP BY center;
INSERT INTO counts (center, open_downloads) SELECT center, count(*) FROM downloads WHERE NOT final GROUP BY center
    ON CONFLICT (center) DO UPDATE SET open_downloads = excluded.open_downloads;
""",  # noqa: S608 -- ours
}
"""What makes the tables of a version those of the next."""

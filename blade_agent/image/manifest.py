"""What an image is, in a file that is signed: for which board, which release, and the digest of each of its chunks.

Chunks that hold nothing are not in it: they need not be written. So it is the block map of the image, too, and gives
the one that bmaptool reads (its format 2.0).
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from blade_agent.boot.release import Release
from media_network.fields import Sha256
from media_network.strict_reading import StrictReader

MANIFEST_BYTES_MAX = 8 << 20
CHUNK_BYTES = 1 << 20
"""Of images that are made here: what is written, read back and tried again as one."""
BLOCK_BYTES = 4096
"""Of bmaptool's map; a chunk has a whole number of them."""
_SIZE_BYTES_MAX = 1 << 40
_RELEASE = Annotated[str, Meta(pattern=r"^\d{1,5}\.\d{1,5}\.\d{1,5}$(?!\n)", description="a release, such as 1.2.3")]


class ManifestRefused(Exception):
    """A manifest that makes no sense; `str()` is a clause that says why."""


class ChunkRun(Struct, frozen=True, forbid_unknown_fields=True):
    """Chunks that follow each other."""

    first: Annotated[int, Meta(ge=0)]
    """Number of the first one."""
    digests: Annotated[tuple[Sha256, ...], Meta(min_length=1)]
    """Their SHA-256."""


class ImageManifest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An image."""

    format: Literal[1] = 1
    kind: Literal["disk", "system"] = "disk"
    """A whole disk, or what comes into one of its two system slots."""
    profile: Annotated[
        str,
        Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$(?!\n)", description="1 to 32 lower case letters, digits and hyphens"),
    ]
    """For which kind of board."""
    release: _RELEASE
    minimum: _RELEASE
    """What is not to be older from then on, once the release has shown that it works."""
    size_bytes: Annotated[int, Meta(ge=1, le=_SIZE_BYTES_MAX)]
    """Of the image, unpacked."""
    chunk_bytes: Annotated[int, Meta(ge=BLOCK_BYTES, le=1 << 24)] = CHUNK_BYTES
    chunks: tuple[ChunkRun, ...]
    """Those that hold something, rising."""

    def __post_init__(self) -> None:
        """Refuse what contradicts itself; ValueError says what it is."""
        if self.chunk_bytes % BLOCK_BYTES:
            raise ValueError(f"chunk_bytes is no multiple of {BLOCK_BYTES}")
        end = 0
        for run in self.chunks:
            if run.first < end:
                raise ValueError(f"chunk {run.first} comes after chunk {end}")
            end = run.first + len(run.digests)
        if end > self.chunk_count:
            raise ValueError(f"chunk {end - 1} is beyond the end of the image")
        if Release.parse(self.minimum) > Release.parse(self.release):
            raise ValueError("minimum is beyond the release itself")

    @property
    def chunk_count(self) -> int:
        """How many chunks the image has, whether they hold something or not."""
        return -(-self.size_bytes // self.chunk_bytes)

    @property
    def digests(self) -> Mapping[int, str]:
        """The SHA-256 of each chunk that holds something, by its number."""
        return dict(self._mapped())

    @property
    def mapped_bytes(self) -> int:
        """What has to be written."""
        return sum(self.length_of(number) for number, _ in self._mapped())

    def length_of(self, number: int) -> int:
        """Length of a chunk; the last one may be shorter."""
        return min(self.chunk_bytes, self.size_bytes - number * self.chunk_bytes)

    def _mapped(self) -> Iterator[tuple[int, str]]:
        for run in self.chunks:
            yield from enumerate(run.digests, start=run.first)


def parse_manifest(octets: bytes) -> ImageManifest:
    """Read a manifest. Raises ManifestRefused."""
    if len(octets) > MANIFEST_BYTES_MAX:
        raise ManifestRefused(f"it is longer than {MANIFEST_BYTES_MAX >> 20} MiB")
    try:
        document = msgspec.json.decode(octets)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise ManifestRefused("it is not JSON") from error
    return StrictReader("manifest", _refusal).struct(ImageManifest, document, "")


def _refusal(at: str, reason: str) -> Exception:
    return ManifestRefused(f"{at} {reason}".lstrip())


def manifest_octets(manifest: ImageManifest) -> bytes:
    """Write a manifest; the same one always the same way."""
    return msgspec.json.format(msgspec.json.encode(manifest)) + b"\n"


def runs_of(digests: Mapping[int, str]) -> tuple[ChunkRun, ...]:
    """Chunks by number, as runs."""
    runs: list[list[str]] = []
    firsts: list[int] = []
    for number in sorted(digests):
        if not runs or number != firsts[-1] + len(runs[-1]):
            firsts.append(number)
            runs.append([])
        runs[-1].append(digests[number])
    return tuple(ChunkRun(first, tuple(run)) for first, run in zip(firsts, runs, strict=True))


_NO_SUM = "0" * 64
_MAP = """\
<?xml version="1.0" ?>
<bmap version="2.0">
    <ImageSize> {size} </ImageSize>
    <BlockSize> {block} </BlockSize>
    <BlocksCount> {blocks} </BlocksCount>
    <MappedBlocksCount> {mapped} </MappedBlocksCount>
    <ChecksumType> sha256 </ChecksumType>
    <BmapFileChecksum> {checksum} </BmapFileChecksum>
    <BlockMap>
{ranges}
    </BlockMap>
</bmap>
"""


def block_map(manifest: ImageManifest) -> str:
    """The map that bmaptool reads beside the image: a range for each chunk that holds something, with its digest."""
    per_chunk, blocks = manifest.chunk_bytes // BLOCK_BYTES, -(-manifest.size_bytes // BLOCK_BYTES)
    ranges, mapped = [], 0
    for number, digest in manifest.digests.items():
        first = number * per_chunk
        last = min(first + per_chunk, blocks) - 1
        mapped += last - first + 1
        span = f"{first}-{last}" if last > first else f"{first}"
        ranges.append(f'        <Range chksum="{digest}"> {span} </Range>')
    fill = {
        "size": manifest.size_bytes, "block": BLOCK_BYTES, "blocks": blocks, "mapped": mapped,
        "ranges": "\n".join(ranges),
    }  # fmt: skip
    unsummed = _MAP.format(checksum=_NO_SUM, **fill)
    return _MAP.format(checksum=hashlib.sha256(unsummed.encode()).hexdigest(), **fill)

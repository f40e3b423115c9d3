"""An image with what stands beside it: `blade.img` or `blade.img.zst`, `blade.img.manifest` and its signature."""

from pathlib import Path

from msgspec import Struct

from blade_agent.image.manifest import MANIFEST_BYTES_MAX, ImageManifest, ManifestRefused, parse_manifest
from blade_agent.image.minisign import FILE_BYTES_MAX, ImageKey, SignatureRefused
from blade_agent.image.payload import PACKED


class SignedImage(Struct, frozen=True):
    """An image whose manifest its key vouches for; of its octets nothing is known yet."""

    path: Path
    manifest: ImageManifest
    comment: str
    """What its signer said, and signed."""


class NotSigned(Exception):
    """An image that the key does not vouch for; `str()` says why."""


def manifest_path(image: Path) -> Path:
    """Where the manifest of an image is, packed or not."""
    return _beside(image, ".manifest")


def block_map_path(image: Path) -> Path:
    """Where bmaptool looks for the block map of an image, packed or not."""
    return _beside(image, ".bmap")


def _beside(image: Path, suffix: str) -> Path:
    return image.with_name(image.name.removesuffix(PACKED) + suffix)


def read_signed(image: Path, key_file: Path) -> SignedImage:
    """Read what stands beside an image, and check it. Raises NotSigned, OSError: the key cannot be read."""
    key_octets = _read(key_file, FILE_BYTES_MAX)
    manifest_file = manifest_path(image)
    signature_file = manifest_file.with_name(f"{manifest_file.name}.minisig")
    try:
        octets, signature = _read(manifest_file, MANIFEST_BYTES_MAX), _read(signature_file, FILE_BYTES_MAX)
    except OSError as error:
        raise NotSigned(f"{image} is not signed: {error.filename} cannot be read") from error
    try:
        comment = ImageKey.parse(key_octets).check(octets, signature)
        return SignedImage(image, parse_manifest(octets), comment)
    except (SignatureRefused, ManifestRefused) as error:
        raise NotSigned(f"{manifest_file}: {error}") from error


def _read(path: Path, most: int) -> bytes:
    """So many octets, and one more where there are more: whoever parses them refuses that."""
    with path.open("rb") as file:
        return file.read(most + 1)

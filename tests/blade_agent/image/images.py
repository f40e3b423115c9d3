"""Images for tests, and a key that signs them: minisign's files, made here so that tests run without it."""

import base64
import hashlib
import random

import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from blade_agent.image.manifest import CHUNK_BYTES, manifest_octets
from blade_agent.image.payload import describe
from blade_agent.image.signed_image import manifest_path

PROFILE, RELEASE, MINIMUM = "virt-arm64", "0.2.0", "0.1.0"
HELD = (0, 1, 3, 6)
"""Chunks of the image that hold something; the last one is shorter."""
SIZE = 6 * CHUNK_BYTES + 100 * 4096


class Signer:
    """A key pair."""

    def __init__(self, seed):
        self._secret = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        self._name = bytes([seed]) * 8

    def public(self):
        octets = b"Ed" + self._name + self._secret.public_key().public_bytes_raw()
        return b"untrusted comment: a key\n" + base64.b64encode(octets) + b"\n"

    def sign(self, content, comment="a test's", kind=b"ED"):
        signature = self._secret.sign(hashlib.blake2b(content).digest() if kind == b"ED" else content)
        over_comment = self._secret.sign(signature + comment.encode())
        lines = ("untrusted comment: x", base64.b64encode(kind + self._name + signature).decode())
        return "\n".join((*lines, f"trusted comment: {comment}", base64.b64encode(over_comment).decode(), "")).encode()


def make_image(path, seed=1, size=SIZE, held=HELD):
    """A sparse file."""
    rng = random.Random(seed)
    with path.open("wb") as file:
        file.truncate(size)
        for number in held:
            file.seek(number * CHUNK_BYTES)
            file.write(rng.randbytes(min(CHUNK_BYTES, size - number * CHUNK_BYTES)))
    return path


def sign_image(image, signer, **changes):
    """Write the manifest of a plain image and its signature beside it, and the key."""
    said = {"profile": PROFILE, "release": RELEASE, "minimum": MINIMUM} | changes
    octets = manifest_octets(describe(image, **said))
    put_manifest(image, octets, signer)


def put_manifest(image, octets, signer):
    path = manifest_path(image)
    path.write_bytes(octets)
    path.with_name(f"{path.name}.minisig").write_bytes(signer.sign(octets))
    image.with_name("image.pub").write_bytes(signer.public())


def pack(image):
    packed = image.with_name(f"{image.name}.zst")
    packed.write_bytes(zstandard.ZstdCompressor().compress(image.read_bytes()))
    return packed


def signed_image(folder, **more):
    image = make_image(folder / "blade.img", **more)
    sign_image(image, Signer(1))
    return image

"""Pictures that a browser is given: whatever else comes as one is not."""

_BEGINS = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png", b"GIF8": "image/gif", b"BM": "image/bmp"}


def picture_type(octets: bytes) -> str | None:
    """The media type of a picture, by how it begins; None: it is none of those."""
    return next((kind for begins, kind in _BEGINS.items() if octets.startswith(begins)), None)

"""GUIDs of what stands in a chassis."""

import uuid
from typing import Final

_NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_OID, "1.3.6.1.4.1.8072.media-station")


def guid_of(name: str) -> bytes:
    """Give the GUID of something by its name, the same at every start (RFC 4122, 4.3), in network order."""
    return uuid.uuid5(_NAMESPACE, name).bytes

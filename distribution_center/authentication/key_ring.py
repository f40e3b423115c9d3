"""The keys that tokens are signed with: the previous one, the one of now, and the next.

The next one is published before anything is signed with it, and the previous one until its tokens have expired: so keys
change, and no viewer is refused.
"""

from enum import StrEnum

from msgspec import Struct

from media_network.tokens.keys import Algorithm, SigningKey


class KeyPlace(StrEnum):
    """What a key is for now."""

    PREVIOUS = "previous"
    CURRENT = "current"
    NEXT = "next"


class KeptKey(Struct, frozen=True):
    """A key in its place."""

    place: KeyPlace
    key: SigningKey
    made_at_ms: int


class KeyRing(Struct, frozen=True):
    """All of them."""

    keys: tuple[KeptKey, ...]

    @classmethod
    def begin(cls, algorithm: Algorithm, now_ms: int) -> "KeyRing":
        """A first key, and the next."""
        return cls(
            tuple(KeptKey(place, SigningKey.generate(algorithm), now_ms) for place in (KeyPlace.CURRENT, KeyPlace.NEXT))
        )

    @property
    def current(self) -> SigningKey:
        """What is signed with."""
        return next(kept.key for kept in self.keys if kept.place is KeyPlace.CURRENT)

    @property
    def turned_at_ms(self) -> int:
        """When the keys changed last."""
        return max(kept.made_at_ms for kept in self.keys)

    def turned(self, algorithm: Algorithm, now_ms: int) -> "KeyRing":
        """The next key is signed with from now on, and there is another next one."""
        moved = {KeyPlace.NEXT: KeyPlace.CURRENT, KeyPlace.CURRENT: KeyPlace.PREVIOUS}
        kept = (KeptKey(moved[one.place], one.key, one.made_at_ms) for one in self.keys if one.place in moved)
        return KeyRing((*kept, KeptKey(KeyPlace.NEXT, SigningKey.generate(algorithm), now_ms)))

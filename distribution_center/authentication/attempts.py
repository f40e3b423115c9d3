"""How often somebody may try to log in: by where they come from, and by whose name they say."""

from collections import OrderedDict
from dataclasses import dataclass

_KEPT_MAX = 10_000


@dataclass
class _Bucket:
    left: float
    at_s: float


class Attempts:
    """So many attempts at once, and so many a second in the long run, for each of many keys."""

    def __init__(self, burst: int, per_s: float, kept_max: int = _KEPT_MAX) -> None:
        self._burst = float(burst)
        self._per_s = per_s
        self._kept_max = kept_max
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def has_room(self, key: str, now_s: float) -> bool:
        """Whether there may be another attempt."""
        return self._bucket(key, now_s).left >= 1

    def count(self, key: str, now_s: float) -> None:
        """There was one."""
        self._bucket(key, now_s).left -= 1

    def forget(self, key: str) -> None:
        """What was tried has succeeded: it counts no more."""
        self._buckets.pop(key, None)

    def __len__(self) -> int:
        return len(self._buckets)

    def _bucket(self, key: str, now_s: float) -> _Bucket:
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = _Bucket(self._burst, now_s)
            if len(self._buckets) > self._kept_max:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(key)
        bucket.left = min(self._burst, bucket.left + (now_s - bucket.at_s) * self._per_s)
        bucket.at_s = now_s
        return bucket

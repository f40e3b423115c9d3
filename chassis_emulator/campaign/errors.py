"""Why a campaign ended badly: types with facts.

CampaignFailed
    DoesNotHold     something that must hold in the calm, or always, does not
    NoCalm          what was mended did not come back in time
"""

from collections.abc import Sequence


class CampaignFailed(Exception):
    """A round ended otherwise than it must: `str()` is one sentence."""


class DoesNotHold(CampaignFailed):
    """Something that must hold does not."""


class NoCalm(CampaignFailed):
    """The network has not come to rest in time."""

    def __init__(self, patience_s: float, missing: Sequence[str]) -> None:
        super().__init__(patience_s, missing)
        self.patience_s = patience_s
        self.missing = tuple(missing)

    def __str__(self) -> str:
        return f"{self.patience_s:g} s after all was mended this was still amiss: {'; '.join(self.missing)}"

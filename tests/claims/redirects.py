"""Where a redirect leads."""

from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, build_opener

import pytest


def redirected(url):
    """Where a redirect leads; it is not followed."""
    with pytest.raises(HTTPError) as caught:
        build_opener(StayHere).open(url, timeout=10)
    if caught.value.code != 302:
        raise caught.value
    return caught.value.headers["Location"]


class StayHere(HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None

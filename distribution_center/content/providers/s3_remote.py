"""An object in an S3 bucket: obstore signs its address, and it is fetched as the web's are."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

import obstore
from obstore.store import S3Store

if TYPE_CHECKING:
    from obstore.store import S3Config

_VALID = timedelta(hours=12)
"""A signature counts when a request begins; each try has a new one."""


def signed_address(
    bucket: str,
    key: str,
    *,
    endpoint: str,
    region: str,
    access_key: str = "",
    secret_key: str = "",
    session_token: str = "",
) -> Callable[[], str]:
    """What gives the address of an object, signed anew; without an access key it is a public one's."""
    if not access_key:
        return lambda: f"{endpoint.rstrip('/')}/{bucket}/{quote(key)}"
    config: S3Config = {
        "endpoint": endpoint,
        "region": region,
        "access_key_id": access_key,
        "secret_access_key": secret_key,
        "virtual_hosted_style_request": False,
    }
    if session_token:
        config["session_token"] = session_token
    store = S3Store(bucket, config=config)
    return lambda: obstore.sign(store, "GET", key, _VALID)

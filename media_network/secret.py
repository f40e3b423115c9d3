"""What nobody else may read: passwords and communities in files that people write."""

from typing import Annotated

from msgspec import Meta

SECRET = "secret"  # noqa: S105 -- the word by which a type says that it is one
"""In the `extra` of a type's Meta."""

Secret = Annotated[str, Meta(extra={SECRET: True})]
"""A settings file that has one is refused where others may read it."""

"""What the answers of a page's server bear: nothing inline, nothing from elsewhere, in nobody's frame, and not kept."""

from collections.abc import Mapping
from types import MappingProxyType

HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
        ),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
)

MEDIA_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        **HEADERS,
        # Segments come from blades that the page cannot know beforehand; a media source is a blob (Media Source, 3).
        "Content-Security-Policy": HEADERS["Content-Security-Policy"].replace(
            "connect-src 'self'", "connect-src 'self' http: https:; media-src 'self' http: https: blob:"
        ),
    }
)
"""Those of a page that plays what comes from other machines."""

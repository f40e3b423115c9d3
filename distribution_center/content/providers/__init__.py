"""Providers: whom the content engine downloads from, and how (claim 2)."""

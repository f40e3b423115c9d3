"""Packages: metadata and what they are about, in a folder, an archive, or beside each other at a provider (claim 2)."""

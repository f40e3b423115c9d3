"""The media location registry: where every segment of every program is (claim 1)."""

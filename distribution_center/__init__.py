"""The distribution center: the media location registry, the content manager and the content engine (claims 1 and 2).

The home media station is an ordinary media station; the center speaks to its director as to any other.
"""

"""The language every party speaks: programs and segments, the messages of the claims, and HTTP/JSON to carry them.

Ground floor of the house: imports nothing of ours.
"""

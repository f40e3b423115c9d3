"""Tokens of consoles: JSON Web Tokens in the profile of RFC 9246 (URI signing), and the keys that they are signed with.

Everything here is pure: the time and the keys are handed in, and a refusal is a value.
"""

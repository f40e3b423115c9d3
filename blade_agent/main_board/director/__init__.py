"""The media director of a station: what it knows, what it decides, and the conversations it has (claims 1, 12 to 17).

It talks to its engines, to the registry and to other directors by messages only.
"""

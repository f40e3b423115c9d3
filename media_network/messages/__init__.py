"""The messages of the claims: one verb each, one file a receiver.

`registry`, `content` are the distribution center's; `director` and `engine` the blades'.
"""

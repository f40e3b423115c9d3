"""The messages of the claims, a file a conversation: one type a message, one verb a question.

A verb's path begins with who is asked: `registry` and `content` are the distribution center's, `director` and `engine`
the blades'. `docs/protocols/messages.md` has a table of all.

A field that names a party holds its address, at which machines speak to it. Its media address has a field of its own,
`media`, but where consoles read it: they know an engine by that one only.
"""

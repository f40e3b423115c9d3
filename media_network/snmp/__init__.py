"""An SNMP agent's request path, without I/O but for the socket in `service`.

`value` and `index` are what a provider of objects needs; `ber`, `message`, `security`, `access` and `dispatch` take a
datagram apart and answer it; `docs/protocols/snmp.md` says what is answered and to whom.
"""

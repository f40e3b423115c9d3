"""The chassis blade controller (CBC): a blade's end of the backplane, in IPMI.

`Controller` answers the commands; `message`, `basic_mode` and `rmcp` are the wire without I/O; `serial_line` and
`udp_line` are the wire itself. docs/protocols/cbc.md describes it byte by byte.
"""

"""The chassis blade controller (CBC): a blade's end of the backplane, in IPMI.

`Controller` answers the commands; `blade_agent.backplane` has the language. docs/protocols/cbc.md describes it byte by
byte.
"""

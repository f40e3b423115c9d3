"""The chassis manager's northbound: RMCP+ on UDP, and bridging to the blades' controllers.

`Endpoint` is the protocol without I/O; `serve_lan` runs it on a socket. docs/protocols/lan.md describes it.
"""

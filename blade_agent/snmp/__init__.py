"""The communications agent: what a blade and a chassis manager show to a network management system by SNMP.

`sources` is what others tell of themselves; the rest turns it into objects. The request path is `media_network.snmp`.
"""

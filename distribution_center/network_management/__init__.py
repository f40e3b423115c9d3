"""The network management system (claim 8): sees every component of the network, and tells a person how it is."""

"""How messages travel: the client and the server that all parties share."""

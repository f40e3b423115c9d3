"""A blade's part in subscriber management and billing (claim 6): a cache of the one, an outbox to the other."""

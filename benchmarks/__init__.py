"""Every figure that the README quotes, each measured beside a peer or a bound; see `__main__`."""

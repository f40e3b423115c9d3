"""Subscriber management and subscriber billing (claim 6), each behind an interface that another one may implement."""

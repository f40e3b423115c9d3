"""A page for the operator of a center: programs and where they are, orders, and films to bring in."""

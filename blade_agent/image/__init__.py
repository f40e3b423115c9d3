"""Images of a board: what is in one, whether it is what somebody signed, and how it comes onto a disk."""

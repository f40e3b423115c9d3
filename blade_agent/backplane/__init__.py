"""The language of the backplane: IPMI messages, how they are framed, and the lines that carry them."""

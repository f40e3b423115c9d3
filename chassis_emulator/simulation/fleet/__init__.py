"""A fleet in virtual time: a real distribution center, and as many directors as one wants, which have no blades."""

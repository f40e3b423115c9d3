"""How segments get where they have to be."""

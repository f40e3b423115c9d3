"""The settings of a blade and of a chassis manager, begun by what the board says, and checked before they are used."""

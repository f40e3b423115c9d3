"""How a viewer comes in."""

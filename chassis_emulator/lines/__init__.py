"""The wires between chassis manager and blades."""

"""How others get segments from this engine."""

"""How a stream goes from engine to engine, and on when one is lost."""

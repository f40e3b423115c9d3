"""Names of sessions."""

import random


def new_session_id(rng: random.Random) -> str:
    """An id nobody guesses."""
    return f"{rng.getrandbits(96):024x}"

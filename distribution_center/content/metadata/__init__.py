"""What providers say of their programs, whatever form they say it in (claims 2, 11)."""

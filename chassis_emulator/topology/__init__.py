"""What a network is, before any of it runs."""

"""What the station holds, and who is told of it."""

"""Which of its two system slots a board boots, and how an update is tried without ever losing the one that works."""

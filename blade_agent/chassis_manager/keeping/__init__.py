"""What of a chassis is on disk."""

"""The authentication server (claims 5 and 25): it confirms subscribers, and issues tokens to their consoles."""

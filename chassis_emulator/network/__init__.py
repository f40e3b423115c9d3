"""What `up` starts, and how it is told things while it runs."""

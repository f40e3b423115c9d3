"""What the chassis blade controller does when it is told, a file a group of commands."""

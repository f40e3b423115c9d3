"""Programs are deleted at stations, and the last copy moves first (claims 23 and 24)."""

"""Updates of a board's system: a signed image into the slot that is not the good one, tried, and kept or given up."""

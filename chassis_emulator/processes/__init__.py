"""Real processes, forked from a parent that has imported everything."""

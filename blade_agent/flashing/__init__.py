"""An image onto a disk: which disk it may be, and that it holds what was written to it."""

"""The verbs of the command line `distribution-center`, one file for what belongs together."""

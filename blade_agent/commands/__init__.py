"""The commands of `blade-agent`: each file is imported when one of its commands is asked for."""

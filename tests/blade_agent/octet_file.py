"""Octets in a file, for a test that has no event loop."""

from media_network.durable_file import DurableFile


class OctetFile:
    """A `KeptOctets`."""

    def __init__(self, path):
        self.file = DurableFile(path, bytes, rebuilt="nothing is kept")

    def read(self):
        return self.file.read().value or b""

    def keep(self, octets):
        self.file.keep(octets)

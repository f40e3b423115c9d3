"""Channels of a store on simulated disks of their own."""


class Disks:
    """The `Files` of a machine: each channel is a disk."""

    def __init__(self, simulation, host, folders, **settings):
        self.of = {folder: simulation.disk(f"{host.address} {folder}", host, folder, **settings) for folder in folders}

    @property
    def sqlite_vfs(self):
        """Of the last one, which has the state."""
        return [*self.of.values()][-1].sqlite_vfs

    def __getattr__(self, name):
        return lambda path, *rest: getattr(self._of(path), name)(path, *rest)

    def _of(self, path):
        return next(disk for folder, disk in self.of.items() if folder in (path, *path.parents))

"""What is wrong with a file that a person wrote."""

from pathlib import Path


class DocumentError(Exception):
    """A file that does not say what it should; `key` is the path of the key at fault, empty for the whole file."""

    hint = ""

    def __init__(self, path: Path, key: str, reason: str) -> None:
        super().__init__(path, key, reason)
        self.path = path
        self.key = key
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}: {self.key} {self.reason}." if self.key else f"{self.path}: {self.reason}."

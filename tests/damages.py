"""What befalls files: a table, for whoever keeps one."""

from media_network.durable_file import DurableFile


def empty(path):
    path.write_bytes(b"")


def cut(part):
    def damage(path):
        content = path.read_bytes()
        path.write_bytes(content[: round(len(content) * part)])

    return damage


def one_byte_short(path):
    path.write_bytes(path.read_bytes()[:-1])


def flipped(part, length=1):
    """Flip a bit at some part of the file, in so many bytes one behind the other."""

    def damage(path):
        content = bytearray(path.read_bytes())
        start = round((len(content) - 1) * part)
        for place in range(start, min(start + length, len(content))):
            content[place] ^= 0x10
        path.write_bytes(content)

    return damage


def zeros(path):
    """What some file systems leave after a power cut."""
    path.write_bytes(bytes(path.stat().st_size))


def another_text(path):
    path.write_bytes(b"-17 and nothing else\n")


def absurd(path):
    """Whole, and without sense."""
    DurableFile(path, bytes, rebuilt="", keeps_before=False).keep(
        b'{"boots": -1, "slots": {"x": 99999999999999999999}}'
    )


def folder(path):
    path.unlink()
    path.mkdir()
    (path / "in it").write_bytes(b"")


def unreadable(path):
    """For the superuser, too."""
    path.unlink()
    path.symlink_to(path)


def gone(path):
    path.unlink()


DAMAGES = {
    "empty": empty,
    "cut to a byte": cut(0.02),
    "cut in half": cut(0.5),
    "one byte short": one_byte_short,
    "a bit in the first byte": flipped(0.0),
    "a bit in the middle": flipped(0.5),
    "a bit in the last byte": flipped(1.0),
    "zeros": zeros,
    "another text": another_text,
    "absurd": absurd,
    "a folder": folder,
    "unreadable": unreadable,
}

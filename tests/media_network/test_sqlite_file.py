"""What SQLite finds is said as what it is."""

import errno

import apsw
import pytest

from media_network.sqlite_file import os_error_of, sqlite_in_words
from tests.small_disk import SmallDisk


def test_a_full_disk_is_said_to_be_full_though_undoing_failed_after_it(tmp_path):
    disk = SmallDisk(full=False)
    connection = apsw.Connection(str(tmp_path / "file"), vfs=disk.sqlite_vfs)
    connection.execute("CREATE TABLE numbers (number)")
    disk.full = True
    with pytest.raises(apsw.Error) as caught, connection:
        connection.execute("INSERT INTO numbers VALUES (1)")
    connection.close()
    assert "rollback" in str(caught.value)
    assert sqlite_in_words(caught.value) == "its disk is full"
    assert os_error_of(caught.value, tmp_path).errno == errno.ENOSPC

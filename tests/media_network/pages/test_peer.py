"""The user at the other end of a loopback connection, by the kernel's own table."""

import os
import socket

from media_network.address import Address
from media_network.pages.peer import user_of


def test_our_own_connection_is_ours():
    with socket.create_server(("127.63.0.9", 0)) as server:
        here = Address(*server.getsockname())
        with socket.create_connection(here) as client:
            assert user_of(Address(*client.getsockname()), here) == os.geteuid()


def test_the_column_of_the_user_is_read(tmp_path):
    table = tmp_path / "tcp"
    table.write_text(
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
        "   0: 0900003F:1F9A 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1\n"
        "   1: 0900007F:C350 0900007F:1F9A 01 00000000:00000000 00:00000000 00000000  1234        0 2 1\n"
    )
    assert user_of(Address("127.0.0.9", 50000), Address("127.0.0.9", 8090), table) == 1234
    assert user_of(Address("127.0.0.9", 50001), Address("127.0.0.9", 8090), table) is None

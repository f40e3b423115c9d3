"""Servers that others wrote, on loopback, with a film of theirs: FTP, SFTP, S3; and a wire that is cut once."""

import asyncio
import threading
from contextlib import asynccontextmanager, contextmanager
from hashlib import sha256

import asyncssh
import boto3
from moto.server import ThreadedMotoServer
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import DTPHandler, FTPHandler, TLS_DTPHandler, TLS_FTPHandler
from pyftpdlib.servers import FTPServer

FILM = b"".join(sha256(number.to_bytes(4, "big")).digest() for number in range(100_000))
"""3.2 MB: more than three pieces."""
USER, PASSWORD = "studio", "rosebud"
ACCESS_KEY, SECRET_KEY, BUCKET = "AKIDEXAMPLE", "wJalrXUtnFEMI", "films"


@contextmanager
def ftp_server(folder, *, certificate=None, cut_at=None):
    """pyftpdlib; it closes its first data connection after so many bytes."""
    cuts = [] if cut_at is None else [cut_at]

    class Data(TLS_DTPHandler if certificate else DTPHandler):
        def send(self, data):
            sent = super().send(data)
            if cuts and self.tot_bytes_sent >= cuts[0]:
                cuts.clear()
                self.close()
            return sent

    class Handler(TLS_FTPHandler if certificate else FTPHandler):
        dtp_handler = Data
        auth_failed_timeout = 0
        log_prefix = ""
        certfile = certificate
        tls_control_required = tls_data_required = bool(certificate)
        use_sendfile = False

    Handler.authorizer = DummyAuthorizer()
    Handler.authorizer.add_user(USER, PASSWORD, str(folder))
    server = FTPServer(("127.0.0.1", 0), Handler)
    over = threading.Event()

    def serve():
        while not over.is_set():
            server.serve_forever(timeout=0.05, blocking=False, handle_exit=False)
        server.close_all()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield server.address[1]
    finally:
        over.set()
        thread.join()


@asynccontextmanager
async def sftp_server(folder):
    """asyncssh; gives its port and its host key."""

    class Server(asyncssh.SSHServer):
        def begin_auth(self, username):
            return True

        def password_auth_supported(self):
            return True

        def validate_password(self, username, password):
            return (username, password) == (USER, PASSWORD)

    key = asyncssh.generate_private_key("ssh-ed25519")
    root = str(folder).encode()
    server = await asyncssh.create_server(
        Server,
        "127.0.0.1",
        0,
        server_host_keys=[key],
        sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=root),
    )
    async with server:
        yield server.sockets[0].getsockname()[1], key.export_public_key().decode().strip()


@contextmanager
def s3_server(monkeypatch):
    """moto; gives its port, with the film in a bucket."""
    for name, value in (("AWS_ACCESS_KEY_ID", ACCESS_KEY), ("AWS_SECRET_ACCESS_KEY", SECRET_KEY)):
        monkeypatch.setenv(name, value)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        port = server.get_host_and_port()[1]
        client = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1")
        client.create_bucket(Bucket=BUCKET)
        client.put_object(Bucket=BUCKET, Key="new/a film.mp4", Body=FILM)
        yield port
    finally:
        server.stop()


@asynccontextmanager
async def cut_wire(port, cut_at):
    """A port that leads to another one, and ends the first connection after so many bytes have come from there."""
    cuts = [cut_at]

    async def carry(reader, writer, bound):
        carried = 0
        while octets := await reader.read(1 << 14):
            writer.write(octets)
            await writer.drain()
            carried += len(octets)
            if bound is not None and carried > bound:
                break
        writer.close()

    async def connected(reader, writer):
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
        bound = cuts.pop() if cuts else None
        up = asyncio.create_task(carry(reader, there_writer, None))
        try:
            await carry(there_reader, writer, bound)
        except OSError:
            pass
        finally:
            there_writer.close()
            writer.close()
            up.cancel()

    async with await asyncio.start_server(connected, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]

"""A provider's web server: gives what is put into it, from where it is asked to, and cuts when it is told."""

import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Provider:
    """Files by name below `address`."""

    def __init__(self, port):
        self.address = f"http://127.0.0.1:{port}/films/"
        self.files = {}
        self.cuts = {}
        """After how many bytes the next connection for a name is cut."""
        self.asked = []
        """Names, and from which byte on."""
        self._held = {}
        """By name: after how many bytes, how many connections more, and until when."""

    def url(self, name):
        return f"{self.address}{name}"

    @contextmanager
    def holding(self, name, after, times):
        """So many connections for a name stand still after some bytes, until the context is left; then they break."""
        until = threading.Event()
        self._held[name] = [after, times, until]
        try:
            yield
        finally:
            del self._held[name]
            until.set()

    def held(self, name):
        """After how many bytes a new connection stands still, and until when; None: it does not."""
        held = self._held.get(name)
        if held is None or not held[1]:
            return None
        held[1] -= 1
        return held[0], held[2]

    @classmethod
    @contextmanager
    def serving(cls):
        """One on loopback, until the context is left."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        server.daemon_threads = True
        server.provider = provider = cls(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        provider = self.server.provider
        name = self.path.rpartition("/")[2]
        content = provider.files.get(name)
        if content is None:
            self.send_error(404)
            return
        found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        begin = int(found[1]) if found and self.headers.get("If-Range") == '"1"' else 0
        provider.asked.append((name, begin))
        self.send_response(206 if begin else 200)
        self.send_header("ETag", '"1"')
        self.send_header("Content-Length", str(len(content) - begin))
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        if held := provider.held(name):
            end, until = held
            self.wfile.write(content[begin:end])
            self.wfile.flush()
            until.wait()
        else:
            end = provider.cuts.pop(name, len(content))
            self.wfile.write(content[begin:end])
        self.close_connection = True

    def log_message(self, *_):
        """It is not asked for."""

"""Claims 21 and 22: three engines that have room for one stream each, and viewers who steer theirs."""

import socket
import threading
from contextlib import contextmanager, suppress
from urllib.error import HTTPError

from tests.claims.full import engine_with
from tests.claims.west import west_of
from tests.clips import render
from tests.patience import wait_until

CAPACITY_BPS = 3_600_000
"""Of an engine of `north`: enough for one stream, and not for two."""
STEADY = {"x264-params": "nal-hrd=cbr", "b": "2M", "maxrate": "2M", "minrate": "2M", "bufsize": "1M"}
SECONDS = 16
PICTURES_A_SECOND = 25
SHOWN_EVERY = 5
"""Pictures: each fifth one can be decoded by itself."""
PACKET_BYTES = 188
_WATCHING_EVERY_S = 1.0
SO_RCVBUFFORCE = 33
"""socket(7); Python has no name for it."""


def ingest(network, folder, width):
    """A program of one long segment, which only `home` has."""
    film = render(folder / f"film-{width}.mp4", SECONDS, width, 180, gop=SHOWN_EVERY, options=STEADY)
    program = network.publish(film, segment_ms=SECONDS * 1000)
    header = network.say(f"127.{network.number}.0.1:8081", "content/program", program=program["program"])
    assert program["segments"] == 1
    assert CAPACITY_BPS / 2 < header["rate_bps"] < CAPACITY_BPS
    return {**program, "rate_bps": header["rate_bps"]}


def distribute(network, program, copies):
    """Have so many copies at `north`."""
    network.run("distribution-center", "distribute", program["program"], "north", "--copies", copies)


class Viewer:
    """A console that a program is pushed to: it takes what comes to a port, and says that it is there."""

    def __init__(self, network, program, port=None):
        """Ask for a program at `north`; nothing comes yet. `port`: of another player, which takes what comes."""
        self.network, self.program = network, program["program"]
        self.came = []
        """What came here, datagram by datagram."""
        self._done = threading.Event()
        self._drained = threading.Event()
        """Set when nothing has come for a while."""
        self._threads = [threading.Thread(target=self._be_there)]
        self._socket = None
        if port is None:
            self._socket = socket.socket(type=socket.SOCK_DGRAM)
            with suppress(PermissionError):  # beyond what the system gives to everybody
                self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 4 << 20)
            self._socket.bind(("127.0.0.1", 0))
            self._threads.append(threading.Thread(target=self._receive))
        self.port = port or self._socket.getsockname()[1]
        self.console = f"127.0.0.1:{self.port}"
        self.door = network.director("north")["media"]
        self.redirect = network.say(self.door, "director/play", program=self.program, console=self.console)
        self.session = self.redirect["session"]

    @property
    def engine(self):
        """Media address of the engine that it was redirected to."""
        return self.redirect["engine"]

    @property
    def order(self):
        """Who it is, in what it orders."""
        return {"session": self.session, "ticket": self.redirect["ticket"]}

    def begin(self):
        """Request the stream."""
        self.network.say(self.engine, "engine/stream", turn=self.redirect["turn"], **self.order)
        for thread in self._threads:
            thread.start()

    def scale(self, scale):
        """Order another speed."""
        answer = self.network.say(self.door, "director/scale", scale=scale, **self.order)
        assert (answer["state"], answer["scale"]) == ("streaming", scale)

    def cease(self):
        """Want no more."""
        self.network.say(self.door, "director/end-stream", **self.order)

    def wait_until(self, state):
        """Until its director says so of the stream; at its end, until all that came has been taken, too."""
        wait_until(lambda: self.state, lambda told: told == state, why=self.network.logs)
        if state == "ended" and self._socket:
            self._drained.clear()
            wait_until(self._drained.is_set, why=self.network.logs)

    @property
    def state(self):
        """Of the stream, as its director sees it."""
        return self.network.say(self.door, "director/watching", session=self.session)["state"]

    @property
    def received(self):
        """All that came."""
        return b"".join(self.came)

    def leave(self):
        """Be there no more."""
        self._done.set()
        for thread in self._threads:
            if thread.ident:
                thread.join()
        if self._socket:
            self._socket.close()

    def _receive(self):
        self._socket.settimeout(0.2)
        while not self._done.is_set():
            try:
                self.came.append(self._socket.recv(1 << 16))
            except TimeoutError:
                self._drained.set()

    def _be_there(self):
        while not self._done.wait(_WATCHING_EVERY_S):
            with suppress(HTTPError):  # it may have ended long ago
                self.network.say(self.door, "director/watching", session=self.session)


@contextmanager
def viewer(network, program, port=None):
    """A console that is there while the context is open."""
    one = Viewer(network, program, port)
    try:
        yield one
    finally:
        one.leave()


@contextmanager
def at_one_engine(network, program, name, times_the_rate):
    """Have a program at one engine of `north`; whoever else gets it there has it from a station that gives it so many
    times as fast as it is played. Gives that station and the engine."""
    with west_of(network, program["program"], name) as west:
        west.let_all()
        distribute(network, program, 1)
        west.given.clear()
        west.bits_s = times_the_rate * program["rate_bps"]
        yield west, engine_with(network, program, 0)


def engine_at(network, media):
    """The engine of `north` with this media address."""
    return next(row for row in network.engines("north") if row["media"] == media)


@contextmanager
def streaming_from(network, program, engine):
    """A viewer of a program to whom this engine streams; all others have room again."""
    viewers = []
    try:
        while not viewers or viewers[-1].engine != engine["media"]:
            assert len(viewers) < len(network.engines("north"))
            viewers.append(Viewer(network, program))
            viewers[-1].begin()
        for other in viewers[:-1]:
            other.cease()
            other.wait_until("ended")
        yield viewers[-1]
    finally:
        for one in viewers:
            one.leave()

"""Other processes of this center on the same registry: what they tell each other, and which of them acts.

What a registration says holds for seconds and is in no table: it is told. On a file there are no others.
"""

from collections.abc import Callable

from distribution_center.registry.feed_news import FeedNews
from media_network.callback import do_nothing
from media_network.messages.registry import RegisterStation


class Neighbours:
    """The others, as one process knows them."""

    def __init__(self) -> None:
        self.news = FeedNews()
        """Of the feed."""
        self.leads = True
        """Whether it is this process that carries out what is open: one of them does at a time."""
        self.heard: Callable[[RegisterStation], None] = do_nothing
        """Called with what a director has told another process."""
        self.shunned: Callable[[str, str], None] = do_nothing
        """Called with a program and a station that does not take it, as another process has found."""
        self.worked: Callable[[], None] = do_nothing
        """Called when another process has changed what whoever leads looks at."""

    def note_registration(self, message: RegisterStation) -> None:
        """A director has told this process; the others hear of it within a moment."""

    def note_shunned(self, program: str, station: str) -> None:
        """A station did not take a program that was to be moved there."""

    def note_work(self) -> None:
        """An order, a location or a director has changed."""

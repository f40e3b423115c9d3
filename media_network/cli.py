"""What all commands share: errors as one sentence and a hint, options, JSON."""

import errno
import math
import os
import resource
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from media_network.default_state import STATE_VARIABLE, default_state_folder
from media_network.deferred_commands import DeferredCommands
from media_network.document_error import DocumentError
from media_network.os_trouble import in_words

if TYPE_CHECKING:
    from media_network.address import Address

_DESCRIPTORS_WANTED = 32_768

_EXTRAS = {
    "apsw": "center",
    "argon2": "center",
    "av": "center",
    "asyncpg": "postgresql",
    "yaml": "emulator",
    "zstandard": "image",
}
"""Which extra of the package brings what a base install has not."""

HELD_STATUS = 75
"""With which a command ends that finds something held: EX_TEMPFAIL of sysexits.h, come back later."""
_HELD_HINT = "One process at a time: end the other one, or name other folders and lines in the settings file."
Command = TypeVar("Command", bound=Callable[..., Any])


class UserError(click.ClickException):
    """One sentence for a person, and a hint what to do."""

    def __init__(self, sentence: str, hint: str = "") -> None:
        super().__init__(sentence)
        self.hint = hint

    def show(self, file: Any = None) -> None:  # noqa: ARG002 -- the signature is click's
        """Print both to standard error."""
        click.echo(f"Error: {self.message}", err=True)
        if self.hint:
            click.echo(f"Hint: {self.hint}", err=True)


class WholeRange(click.IntRange):
    """A whole number in a range."""

    name = "whole number"


class FiniteRange(click.FloatRange):
    """A number in a range. `nan` is in none."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """See `click.ParamType`."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return number


class Commands(DeferredCommands):
    """A group of commands: the one place where what somebody else found wrong becomes a sentence, a hint and a code."""

    group_class = type
    """Groups inside it are such ones, too."""

    def invoke(self, ctx: click.Context) -> Any:
        """See `click.Group`. Raises UserError."""
        try:
            return super().invoke(ctx)
        except DocumentError as error:
            raise UserError(str(error), error.hint or "`--help` says which file this is.") from error
        except ModuleNotFoundError as error:
            raise _not_installed(error) from error
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise  # Whoever read the output has enough: click knows.
            raise UserError(in_words(error), "Check the file, folder or address that is named.") from error

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """See `click.Group`; of a word that is no command it says which one may be meant."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from media_network.legal_values import did_you_mean

            meant = did_you_mean(args[0], self.list_commands(ctx))
            raise click.UsageError(f"{error.message}{meant}", ctx) from error


@contextmanager
def saying(what: str, hint: str) -> Iterator[None]:
    """Let what the kernel refuses in here be said of `what`. Raises UserError."""
    try:
        yield
    except OSError as error:
        raise UserError(f"{what}: {in_words(error)}", hint) from error


def _not_installed(error: ModuleNotFoundError) -> Exception:
    """What a person does to have what is missing; the error itself, if that is of no extra."""
    extra = _EXTRAS.get((error.name or "").partition(".")[0])
    if extra is None:
        return error
    return UserError(f"this needs {error.name}, which is not installed", f"pip install 'media-station[{extra}]'")


class InUse(UserError):
    """Another process has what this one needs, and may give it back."""

    exit_code = HELD_STATUS


def state_dir_option(command: Command) -> Command:
    """`--state-dir`, which every command takes that talks to a network on this laptop; given as an absolute path."""
    return click.option(
        "--state-dir",
        type=click.Path(file_okay=False, path_type=Path),
        callback=_state_dir,
        help=f"State of a network on this laptop (default: {STATE_VARIABLE}, or media-station under XDG_STATE_HOME).",
    )(command)


def settings_option(default: str, keys: str) -> Callable[[Command], Command]:
    """`--settings`, which every command takes that runs a part of the system; given as a path."""
    return click.option(
        "--settings",
        "path",
        type=click.Path(path_type=Path),
        default=Path(default),
        show_default=True,
        help=f"TOML file with {keys}.",
    )


def run_until_told(part: Coroutine[Any, Any, None]) -> None:
    """Run a part of the system until it ends, or SIGTERM or SIGINT asks it to.

    Raises InUse: another process has what it needs; and whatever ends the part.
    """
    import asyncio

    from media_network.holding import AlreadyHeld
    from media_network.operators_log import begin_logging

    begin_logging()
    _raise_descriptor_limit()

    async def until_told() -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        if task:
            loop.add_signal_handler(signal.SIGTERM, task.cancel)
        await part

    try:
        asyncio.run(until_told())
    except (asyncio.CancelledError, KeyboardInterrupt):
        return
    except AlreadyHeld as error:
        raise InUse(str(error), _HELD_HINT) from error
    except BaseExceptionGroup as group:
        if isinstance(only := _only_one(group), AlreadyHeld):
            raise InUse(str(only), _HELD_HINT) from only
        raise only from group


def _only_one(error: BaseException) -> BaseException:
    """What a task group has wrapped, if it is one thing: whoever runs a part knows that by its type."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def as_address(_: click.Context, __: click.Parameter, text: str | None) -> "Address | None":
    """What an option takes that names a party as HOST:PORT. Raises click.BadParameter."""
    from media_network.address import Address

    if text is None:
        return None
    try:
        return Address.parse(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def json_option(what: str) -> Callable[[Command], Command]:
    """`--json`, which every command takes that prints data."""
    return click.option("--json", "as_json", is_flag=True, help=f"Print JSON: {what}.")


def echo_json(document: object) -> None:
    """Print a document so that programs and people can read it."""
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(document)).decode())


def echo_json_line(document: object) -> None:
    """Print a document as one line, where documents come one by one."""
    import msgspec

    click.echo(msgspec.json.encode(document).decode())


def _state_dir(_context: click.Context, _parameter: click.Parameter, value: Path | None) -> Path:
    return (value or default_state_folder(os.environ, Path.home())).absolute()


def _raise_descriptor_limit() -> None:
    """Have as many descriptors as may be had: viewers are connections. Programs that use `select` are not ours."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(hard, _DESCRIPTORS_WANTED) if hard != resource.RLIM_INFINITY else _DESCRIPTORS_WANTED
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))

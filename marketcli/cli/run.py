"""Words in, exit code out: the one place where errors become sentences and signals become endings."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

from marketcli.cli import streams
from marketcli.errors import ExitCode, LocalError, MarketError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

ENDINGS = {"SIGINT": ExitCode.INTERRUPTED, "SIGTERM": ExitCode.TERMINATED, "SIGHUP": ExitCode.HANGUP}


class Ending:
    """Which signal ends the program; the first is let through as Ctrl-C, a second one ends at once."""

    code = ExitCode.INTERRUPTED
    seen = False

    @classmethod
    def watch(cls) -> None:
        """Take over the signals this platform has besides SIGINT."""
        for name in ENDINGS:
            if name != "SIGINT" and hasattr(signal, name):
                signal.signal(getattr(signal, name), cls.caught)

    @classmethod
    def caught(cls, number: int, _: FrameType | None) -> None:
        """End like Ctrl-C, with the signal's own code."""
        code = ENDINGS[signal.Signals(number).name]
        if cls.seen:
            os._exit(code)
        cls.seen, cls.code = True, code
        signal.raise_signal(signal.SIGINT)


def run(words: Sequence[str]) -> NoReturn:
    """Carry the command out and leave with its exit code."""
    streams.prepare()
    Ending.watch()
    code = outcome(list(words))
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        streams.discard_stdout()
    except OSError as error:
        code = complain(stdout_failed(error), words)
    with contextlib.suppress(OSError):
        sys.stderr.flush()
    logging.shutdown()
    # Threads of name look-ups and of the sandbox may still run; nobody waits for them.
    os._exit(code)


def outcome(words: list[str]) -> int:
    """The exit code of a command line."""
    from typer import BadParameter

    # click's UsageError, which Typer carries but does not export
    parse_error: type[BaseException] = BadParameter.__mro__[1]
    try:
        from marketcli.cli.app import app

        code = int(app(args=words, prog_name="mkt", standalone_mode=False) or 0)
        return stopped() if code == ExitCode.INTERRUPTED else code  # Typer makes that of Ctrl-C
    except MarketError as error:
        return complain(error, words)
    except parse_error as error:
        return complain(misread(error), words) if words else ExitCode.OK  # the bare command has printed its help
    except (BrokenPipeError, SystemExit):  # Typer leaves when nobody reads any more; to us that is a success
        streams.discard_stdout()
        return ExitCode.OK
    except KeyboardInterrupt:
        return stopped()
    except Exception as error:  # noqa: BLE001 - the last resort: a bug is told in a sentence too
        return stopped() if interrupted(error) else complain(bug(error), words)


def interrupted(error: BaseException | None) -> bool:
    """Whether a signal is behind an error: where Python makes a class, it wraps what is raised, Ctrl-C too."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def stopped() -> int:
    """The end of a command that a signal ended: nothing was left half-written."""
    sys.stderr.write("mkt: stopped\n")
    return Ending.code


def complain(error: MarketError, words: Sequence[str]) -> ExitCode:
    """Print an error the way the user asked for."""
    from marketcli.output import notices

    if "-vv" in words or words.count("-v") + words.count("--verbose") > 1:
        import traceback

        traceback.print_exception(error.__cause__ or error)
    with contextlib.suppress(OSError):
        if "--json-errors" in words or os.environ.get("MKT_ERRORS") == "json":
            print(notices.as_json(error), file=sys.stderr)  # noqa: T201 - the one line that was asked for
        else:
            notices.error(sys.stderr, error, color=False if "--no-color" in words else None)
    return error.exit


def misread(error: BaseException) -> UsageError:
    """What Typer says about the words, as one of our errors."""
    message = getattr(error, "format_message", lambda: str(error))()
    ctx = getattr(error, "ctx", None)
    command = ctx.command_path if ctx is not None else "mkt"
    return UsageError(message.rstrip(".") + ("" if message.endswith("?") else "."), hint=f"See `{command} --help`.")


def bug(error: Exception) -> MarketError:
    """The error for what should never happen."""
    found = MarketError(
        f"This is a bug in mkt: {type(error).__name__}: {error}.", hint="Run again with -vv and report what it prints."
    )
    found.__cause__ = error
    return found


def stdout_failed(error: OSError) -> LocalError:
    """The error for output that cannot be written."""
    return LocalError(f"Standard output cannot be written: {error.strerror or error}.", hint="Is the disk full?")

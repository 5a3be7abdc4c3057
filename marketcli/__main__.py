"""`mkt` and `python -m marketcli`."""

from __future__ import annotations

import sys


def main() -> None:
    """Answer `--version` before anything is imported; the rest is for the command line."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from marketcli import __version__

        print(f"mkt {__version__}")  # noqa: T201 - the one answer that needs no machinery
        return
    try:
        from marketcli.cli.run import run
    except KeyboardInterrupt:  # in the first tenth of a second; afterwards `run` takes care of it
        sys.stderr.write("mkt: stopped\n")
        sys.exit(130)
    run(sys.argv[1:])


if __name__ == "__main__":
    main()

"""`mkt completion`: print the script that completes commands and options; no file of the user is touched."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Annotated

import typer

from marketcli.errors import UsageError

SHELLS = ("bash", "zsh", "fish", "powershell")


def completion(
    shell: Annotated[str, typer.Argument(metavar="SHELL", help="bash, zsh, fish or powershell.", show_default=False)],
) -> None:
    """Print the completion script of a shell.

    For example: mkt completion bash > ~/.local/share/bash-completion/completions/mkt
    """
    if shell not in SHELLS:
        raise UsageError(f"There is no completion for {shell!r}.", hint=f"Use one of {', '.join(SHELLS)}.")
    typer.echo(script(shell), nl=False)


def script(shell: str) -> str:
    """The script as Typer prints it, asked for the stable way: by a variable, from a process of its own."""
    answer = subprocess.run(
        [sys.executable, "-m", "marketcli"],
        env=os.environ | {"_MKT_COMPLETE": f"source_{shell}"},
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.stdout.strip() + "\n"

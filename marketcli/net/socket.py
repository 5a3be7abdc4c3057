"""One connection of a stream: whole messages, in order, every failure in our words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from marketcli.spec import Socket


class Wire(Protocol):
    """An open connection. Deadlines are the caller's: `abort` ends everything that waits."""

    async def recv(self) -> bytes:
        """The next message. Raises `ConnectionLost` when there will be none."""

    async def send(self, text: str) -> None:
        """Send a message. Raises `ConnectionLost`."""

    async def close(self) -> None:
        """Say goodbye, for a second at most."""

    def abort(self) -> None:
        """End it now."""


Dial: TypeAlias = "Callable[[Socket], Awaitable[Wire]]"

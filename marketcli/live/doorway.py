"""Who may open a connection to an exchange next."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from marketcli.errors import MarketError, RateLimited
from marketcli.live import defaults
from marketcli.net.backoff import delay

if TYPE_CHECKING:
    from marketcli.net.client import Outside
    from marketcli.net.socket import Dial, Wire
    from marketcli.spec import Socket


class Doorway:
    """The way into one exchange, shared by all its feeds.

    While the exchange is away one of them tries, ever less often, and the others wait for it; once it is back they
    follow a little apart. So fifty connections never become a storm, and none of them sleeps through the return.
    """

    def __init__(self, dial: Dial, outside: Outside) -> None:
        self.dial = dial
        self.outside = outside
        self.turn = asyncio.Lock()
        self.failures = 0
        self.next = 0.0  # monotonic moment before which nobody connects

    async def open(self, socket: Socket) -> Wire:
        """An open connection, in turn. Raises what `dial` raises."""
        async with self.turn:
            await self.outside.sleep(max(0.0, self.next - self.outside.monotonic()))
            self.next = self.outside.monotonic() + defaults.APART_SECONDS
            if self.failures:
                return await self.tried(socket)
        return await self.tried(socket)

    async def tried(self, socket: Socket) -> Wire:
        """One try, and what it says about the next one."""
        try:
            wire = await self.dial(socket)
        except MarketError as error:
            self.failures += 1
            told = (error.retry_after or 0.0) if isinstance(error, RateLimited) else 0.0
            rest = delay(
                self.failures - 1,
                defaults.BACKOFF_SECONDS,
                cap=defaults.BACKOFF_CAP_SECONDS,
                random=self.outside.random,
            )
            self.next = max(self.next, self.outside.monotonic() + told + rest)
            raise
        self.failures = 0
        return wire

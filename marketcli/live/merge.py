"""Many feeds as one stream of events."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from marketcli.errors import MarketError
from marketcli.live import defaults
from marketcli.live.orders import Orders

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from types import TracebackType
    from typing import Self

    from marketcli.live.events import Event
    from marketcli.live.feed import Feed
    from marketcli.live.outbox import Outbox
    from marketcli.net.client import Outside


class Merged:
    """Feeds at work, used as `async with`; iterating gives batches of events, until all feeds have ended.

    A feed that ends for good leaves its error in the outbox; the others go on.
    """

    def __init__(self, feeds: Sequence[Feed], outbox: Outbox, outside: Outside) -> None:
        self.feeds = feeds
        self.outbox = outbox
        self.outside = outside
        self.tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self.tasks = [asyncio.ensure_future(self.kept(feed)) for feed in self.feeds]
        self.watch = asyncio.ensure_future(self.ending())
        self.ticking = asyncio.ensure_future(self.tick())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def __aiter__(self) -> AsyncIterator[list[Event]]:
        while batch := await self.outbox.take():
            yield batch
        self.raise_bugs()

    async def kept(self, feed: Feed) -> None:
        """Run a feed; an error of the exchange's ends it alone."""
        try:
            await feed.run()
        except MarketError as error:
            self.outbox.fail(error)
            await feed.last_words()

    async def ending(self) -> None:
        """Nothing more comes once all feeds have ended, or one of them through a mistake of ours."""
        await asyncio.wait(self.tasks, return_when=asyncio.FIRST_EXCEPTION)
        self.outbox.close()

    async def tick(self) -> None:
        """Hand on orders that no fill follows."""
        while isinstance(self.outbox, Orders):
            await self.outside.sleep(defaults.TICK_SECONDS)
            self.outbox.due()

    def raise_bugs(self) -> None:
        """Raise what no feed expected."""
        for task in self.tasks:
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                raise error

    async def stop(self) -> list[Event]:
        """Close all connections; the events that were still waiting, and what stays dark."""
        running = [feed for feed, task in zip(self.feeds, self.tasks, strict=True) if not task.done()]
        await asyncio.gather(*(feed.stop() for feed in running))
        for task in (*self.tasks, self.watch, self.ticking):
            task.cancel()
        await asyncio.gather(*self.tasks, self.watch, self.ticking, return_exceptions=True)
        for feed in running:
            await feed.last_words()
        if isinstance(self.outbox, Orders):
            self.outbox.finish()
        self.tasks, self.feeds = [], ()
        found = self.outbox.rest()
        self.outbox.close()
        return found

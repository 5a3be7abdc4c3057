"""Scripts beside feeds: over connections in memory (`play`), or over the sandbox's exchanges in process (`watch`)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from inside_feeds import Place, place
from scripted_streams import Bench
from virtual_time import Hours, run

from marketcli.api.live import Feeds, Watch, watched
from marketcli.errors import MarketError
from marketcli.exchanges import load, simulator
from marketcli.models import Market

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from marketcli.world import Listing


def play(script: Callable[[Bench], Awaitable[None]], *channels: Any, **more: Any) -> Bench:
    """Run a script beside a bench of feeds; the bench when all is stopped."""

    async def main(hours: Hours) -> Bench:
        bench = Bench(hours.outside(), hours.micros, *channels, **more)
        async with bench.merged:
            pumping = asyncio.ensure_future(bench.pump())
            await asyncio.sleep(0.2)
            await script(bench)
            rest = await bench.merged.stop()
            await pumping
            bench.events += rest
        return bench

    return run(main)


def watch(
    *exchanges: str,
    seconds: float = 20.0,
    faults: Sequence[str] = (),
    script: Callable[[Place, Feeds], Awaitable[None]] | None = None,
    **what: Any,
) -> tuple[Place, Feeds]:
    """Watch for some seconds, or for as long as a script takes."""

    async def main(hours: Hours) -> tuple[Place, Feeds]:
        async with place(hours, faults=faults) as here:
            async with here.watching(*exchanges, watch=Watch(**what)) as feeds:
                await (script(here, feeds) if script else asyncio.sleep(seconds))
            return here, feeds

    return run(main)


def refused(*exchanges: str, faults: Sequence[str] = (), **what: Any) -> MarketError:
    """The error of a watch that cannot begin; nothing was dialled by then."""

    async def main(hours: Hours) -> MarketError:
        async with place(hours, faults=faults) as here:

            async def dial(_: object) -> Any:
                raise AssertionError("It was dialled.")

            with pytest.raises(MarketError) as caught:
                async with watched(here.session, [*map(load, exchanges)], Watch(**what), dial=lambda _: dial):
                    await asyncio.sleep(1)
            return caught.value

    return run(main)


def listing(here: Place, record: Any) -> Listing:
    """The thing of the world that a record is about."""
    found = simulator(record.exchange)
    assert found is not None
    listed = found.listings(here.floor.world, Market(record.market))
    return next(one for one in listed if found.native(one) == record.native)

"""One reader of `stream_server.py`, in a process of its own: prints messages and the CPU seconds they took.

    python tests/bench/stream_client.py READER TRAFFIC COUNT SERVER SANDBOX

SERVER has the frames; SANDBOX is where readers learn which instruments there are. Measured is from the first messages
to the last, so that neither imports nor the way there count.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from marketcli.api.live import Feeds

FIRST_ID = 3_432_000_000
WARM = 2_000  # messages before the measurement begins
STEADY = 1.5  # seconds in which no message comes when all have come
LOOK = 0.02
COINS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT")
KINDS = ("aggTrade", "bookTicker", "kline_1m", "ticker", "markPrice@1s", "forceOrder")


class Clock:
    """Takes the time, of the process's own CPU and of the day, when the messages begin and when they end."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.marks: list[tuple[float, float, float]] = []

    def at(self, messages: float) -> bool:
        """Take the time after so many messages; whether those are all."""
        self.marks[1:] = [(messages, time.process_time(), time.monotonic())]
        return messages >= self.count

    def figures(self) -> dict[str, float]:
        """What was measured."""
        messages, cpu, wall = (end - begin for begin, end in zip(self.marks[0], self.marks[-1], strict=True))
        return {"messages": messages, "cpu": cpu, "wall": wall}


async def steady(messages: Callable[[], float], clock: Clock) -> None:
    """Take the time until nothing comes any more."""
    known, since = 0.0, time.monotonic()
    while time.monotonic() - since < STEADY or not known:
        await asyncio.sleep(LOOK)
        if (now := messages()) != known:
            known, since = now, time.monotonic()
            clock.at(known)


def topics(traffic: str) -> str:
    """All topics of a traffic, as they stand in an address."""
    if traffic == "bybit":
        return "publicTrade.BTCUSDT"
    if traffic == "trades":
        return "btcusdt@aggTrade"
    return "/".join(f"{coin.lower()}@{kind}" for coin in COINS for kind in KINDS)


def address(server: str, traffic: str) -> str:
    """Where all frames of a traffic come from."""
    return f"{server.replace('http', 'ws', 1)}/stream?streams={topics(traffic)}"


# --- the library and a decoder


def library() -> dict[str, Any]:
    """The settings of `net.socket`."""
    from marketcli.net import defaults  # noqa: PLC0415

    return {
        "ping_interval": defaults.PING_SECONDS,
        "ping_timeout": defaults.PONG_SECONDS,
        "max_size": defaults.FRAME_BYTES,
        "max_queue": defaults.FRAMES_WAITING,
        "compression": None,
        "proxy": None,
    }


async def bare(traffic: str, clock: Clock, server: str, _: str, *, decode: Callable[[bytes], Any] = len) -> None:
    """A loop around `recv` of websockets."""
    from websockets.asyncio.client import connect  # noqa: PLC0415

    async with connect(address(server, traffic), **library()) as connection:
        recv, count = connection.recv, 0
        for goal in (WARM, clock.count):
            while count < goal:
                decode(await recv(decode=False))
                count += 1
            clock.at(count)


async def decoded(traffic: str, clock: Clock, server: str, sandbox: str) -> None:
    """The same, and each frame decoded into structs of what it is."""
    await bare(traffic, clock, server, sandbox, decode=decoder(traffic))


def decoder(traffic: str) -> Callable[[bytes], Any]:
    """What decodes a frame of a traffic in one go."""
    import msgspec  # noqa: PLC0415

    def struct(name: str, fields: str, numbers: str, tag: str | None = None, **more: Any) -> Any:
        typed = [(one, str) for one in fields.split()] + [(one, float) for one in numbers.split()]
        return msgspec.defstruct(name, [*typed, *more.items()], tag=tag, tag_field="e" if tag else None, gc=False)

    trade: Any = struct("Trade", "s", "p q", "aggTrade" if traffic == "mixed" else None, a=int, T=int, m=bool)
    if traffic == "bybit":
        trade = struct("Trade", "i S", "p v", T=int)
        return msgspec.json.Decoder(struct("Frame", "topic", "", data=list[trade]), strict=False).decode
    if traffic == "trades":
        return msgspec.json.Decoder(struct("Frame", "stream", "", data=trade), strict=False).decode
    kinds = (
        trade,
        struct("Best", "s", "b B a A", "bookTicker", T=int),
        struct("Candle", "s", "", "kline", k=struct("Kline", "", "o h l c v q V Q", t=int, n=int, x=bool)),
        struct("Day", "s", "c o h l v q", "24hrTicker", C=int, n=int),
        struct("Mark", "s", "p i r", "markPriceUpdate", E=int, T=int),
        struct("Force", "", "", "forceOrder", o=struct("Order", "s S", "p q ap z", T=int)),
    )
    union: Any = kinds[0]
    for kind in kinds[1:]:
        union |= kind
    return msgspec.json.Decoder(struct("Frame", "stream", "", data=union), strict=False).decode


async def other(traffic: str, clock: Clock, server: str, _: str) -> None:
    """picows, another library: a listener that takes each frame as bytes."""
    picows: Any = import_module("picows")
    over = asyncio.Event()

    class Listener(picows.WSListener):  # type: ignore[misc]
        """Counts."""

        count = 0

        def on_ws_frame(self, _: Any, frame: Any) -> None:
            """A frame."""
            frame.get_payload_as_bytes()
            self.count += 1
            if self.count == WARM or self.count >= clock.count:
                clock.at(self.count)
            if self.count >= clock.count:
                over.set()

    transport, _listener = await picows.ws_connect(Listener, address(server, traffic))
    await over.wait()
    transport.disconnect()


# --- ours


async def ours(traffic: str, clock: Clock, server: str, sandbox: str) -> None:
    """`mkt`: everything from the bytes to records, handed to somebody who counts."""
    from contextlib import AsyncExitStack  # noqa: PLC0415

    from marketcli import exchanges  # noqa: PLC0415
    from marketcli.api.live import Watch, watched  # noqa: PLC0415
    from marketcli.api.session import Session  # noqa: PLC0415
    from marketcli.config import Config  # noqa: PLC0415
    from marketcli.datasets import FUNDING, LIQUIDATIONS, OHLC, TICKER, TRADES  # noqa: PLC0415
    from marketcli.models import Interval  # noqa: PLC0415
    from marketcli.net.client import Client  # noqa: PLC0415
    from marketcli.net.socket import Dialer  # noqa: PLC0415
    from marketcli.net.transport import Settings  # noqa: PLC0415

    exchange = exchanges.load("bybit" if traffic == "bybit" else "binance")
    datasets = (TRADES, OHLC, TICKER, FUNDING, LIQUIDATIONS) if traffic == "mixed" else (TRADES,)
    symbols = COINS if traffic == "mixed" else ("BTCUSDT",)
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(Session(Config.model_validate({"via": sandbox})))
        frames = await stack.enter_async_context(Client(Settings(via=server)))
        feeds = []
        for dataset in datasets:
            watch = Watch(dataset, symbols, interval=Interval(1, "m") if dataset is OHLC else None)
            opened = watched(session, [exchange], watch, dial=lambda one: Dialer(frames, one, one.sites["live"]))
            feeds.append(await stack.enter_async_context(opened))
        await (counted(feeds, clock) if traffic == "mixed" else numbered(feeds[0], clock))


async def numbered(feeds: Feeds, clock: Clock) -> None:
    """Take trades to the last; the number of a frame is that of its trades."""
    last = FIRST_ID + clock.count
    async for batch in feeds:
        number = getattr(batch[-1], "id", None)
        if number is not None and (not clock.marks or int(number[:10]) >= last):
            clock.at(int(number[:10]) - FIRST_ID)
            if len(clock.marks) > 1:
                break
    (vitals,) = feeds.vitals.values()
    assert vitals.dropped == vitals.gaps == vitals.garbage == vitals.duplicates == 0, vitals


async def counted(feeds: list[Feeds], clock: Clock) -> None:
    """Take everything until nothing comes any more."""

    async def drain(one: Feeds) -> None:
        async for _ in one:
            pass

    def messages() -> int:
        return sum(vitals.messages for one in feeds for vitals in one.vitals.values())

    tasks = [asyncio.ensure_future(drain(one)) for one in feeds]
    await steady(messages, clock)
    for task in tasks:
        task.cancel()
    # Some frames came more than once, as signs of life of watches that need one: they cost, and do not count.
    share = clock.count / clock.marks[-1][0]
    clock.marks = [(count * share, *times) for count, *times in clock.marks]  # type: ignore[misc]


# --- peers


async def cryptofeed(traffic: str, clock: Clock, server: str, sandbox: str) -> None:
    """cryptofeed as its documentation shows it, with callbacks that count; it has no stream of 24 h tickers."""
    defines, exchanges = import_module("cryptofeed.defines"), import_module("cryptofeed.exchanges")
    connections = import_module("cryptofeed.connection")
    binance = traffic != "bybit"
    base: Any = exchanges.BinanceFutures if binance else exchanges.Bybit
    lists = connections.Routes("/fapi/v1/exchangeInfo") if binance else connections.Routes(BYBIT_LISTS)
    host = "fapi.binance.com" if binance else "api.bybit.com"

    class Here(base):  # type: ignore[misc]
        """Asks the sandbox and listens to the server."""

        rest_endpoints = [connections.RestEndpoint(f"{sandbox}/{host}", routes=lists)]  # noqa: RUF012

        def connect(self) -> Any:
            """The same connections, to another place."""
            made = super().connect()
            for connection, *_ in made:
                connection.address = connection.address.replace("wss://", f"{server.replace('http', 'ws', 1)}/")
                connection.ws_kwargs["proxy"] = None
            return made

    seen = 0

    async def take(thing: Any, _: float) -> None:
        nonlocal seen
        seen = int(thing.id[:10]) - FIRST_ID if traffic != "mixed" else seen + 1

    channels = [defines.TRADES]
    if traffic == "mixed":
        channels += [defines.TICKER, defines.FUNDING, defines.LIQUIDATIONS, defines.CANDLES]
    names = [f"{coin.removesuffix('USDT')}-USDT-PERP" for coin in (COINS if traffic == "mixed" else COINS[:1])]
    options = {"candle_closed_only": False, "config": {"log": {"disabled": True}}}
    feed = Here(symbols=names, channels=channels, callbacks=dict.fromkeys(channels, take), **options)
    feed.start(asyncio.get_running_loop())
    await steady(lambda: seen, clock)


BYBIT_LISTS = [f"/v5/market/instruments-info?category={one}&limit=1000" for one in ("linear", "spot")]


async def ccxt(traffic: str, clock: Clock, server: str, sandbox: str) -> None:
    """ccxt's `watch_trades` in a loop, as its documentation shows it."""
    pro = import_module("ccxt.pro")
    binance = traffic != "bybit"
    markets = {"fetchMarkets": ["linear"], "fetchCurrencies": False}
    made: Any = pro.binanceusdm if binance else pro.bybit
    exchange = made({"enableRateLimit": False, "options": markets if binance else {}})
    exchange.has["fetchCurrencies"] = False
    exchange.urls["api"] = moved(exchange.urls["api"], sandbox, server.replace("http", "ws", 1))
    try:
        while True:
            trades = await exchange.watch_trades("BTC/USDT:USDT", params={"name": "aggTrade"} if binance else {})
            if clock.at(int(trades[-1]["id"][:10]) - FIRST_ID):
                break
    finally:
        await exchange.close()


def moved(urls: Any, sandbox: str, server: str) -> Any:
    """The same paths elsewhere."""
    if isinstance(urls, dict):
        return {name: moved(one, sandbox, server) for name, one in urls.items()}
    return urls.replace("https://", f"{sandbox}/").replace("wss://", f"{server}/")


READERS: dict[str, Callable[[str, Clock, str, str], Awaitable[None]]] = {
    "bare": bare,
    "decoded": decoded,
    "mkt": ours,
    "cryptofeed": cryptofeed,
    "ccxt": ccxt,
    "picows": other,
}


async def main(reader: str, traffic: str, count: str, server: str, sandbox: str) -> None:
    """Read everything and print the figures."""
    clock = Clock(int(count))
    await READERS[reader](traffic, clock, server, sandbox)
    print(json.dumps(clock.figures()))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

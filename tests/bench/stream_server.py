"""An exchange that sends prepared frames as fast as they go: what `stream.py` measures the readers of.

    python tests/bench/stream_server.py trades|mixed|bybit COUNT [--rate N] [--rest SANDBOX]

Prints its address, then serves Binance's futures sockets or Bybit's linear one. A client gets those of COUNT frames
whose topics it asked for, in the address or by message, and then silence; a rate is that of each connection. Frames are
written by the hundred, past the library, so that the server never is what limits the reader. Requests are answered
with what SANDBOX says. Shapes: the pages "WebSocket Market Streams" of Binance (USD-M) and
https://bybit-exchange.github.io/docs/v5/websocket/public/trade, read in 2026.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

from websockets.asyncio.server import ServerConnection, serve
from websockets.frames import Frame, Opcode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from websockets.http11 import Request, Response

START = 1_795_219_200_000  # 2026-11-21 in milliseconds
FIRST_ID = 3_432_000_000
TOGETHER = 128  # frames in one write
PREPARED = 300_000  # frames that are made before the first is sent
QUIET = 0.2  # seconds without another subscription after which frames begin
COINS = {"BTCUSDT": 91_000.0, "ETHUSDT": 2_400.0, "SOLUSDT": 180.0, "XRPUSDT": 1.4}
# Of a hundred frames of mixed traffic; the best of the book changes far more often than anything else.
SHARES = {"bookTicker": 50, "aggTrade": 34, "kline_1m": 6, "ticker": 5, "markPrice@1s": 3, "forceOrder": 2}


def main() -> None:
    """Serve until somebody ends the process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("traffic", choices=["trades", "mixed", "bybit"])
    parser.add_argument("count", type=int)
    parser.add_argument("--rate", type=int, default=0, help="frames a second; as fast as they go without")
    parser.add_argument("--rest", default="", help="the address of a sandbox that answers requests")
    given = parser.parse_args()
    asyncio.run(Server(given.traffic, given.count, rate=given.rate, rest=given.rest).run())


class Server:
    """One kind of traffic, for any number of clients."""

    def __init__(self, traffic: str, count: int, *, rate: int, rest: str) -> None:
        self.traffic = traffic
        self.count = count
        self.rate = rate
        self.rest = rest

    async def run(self) -> None:
        """Say where, and serve."""
        async with serve(self.serve, "127.0.0.1", 0, compression=None, process_request=self.answer) as server:
            print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
            await asyncio.Event().wait()

    async def answer(self, connection: ServerConnection, request: Request) -> Response | None:
        """What the sandbox says to a request; nothing to what wants a stream."""
        if "Upgrade" in request.headers:
            return None
        with await asyncio.to_thread(urlopen, f"{self.rest}{request.path}") as found:
            return connection.respond(HTTPStatus(found.status), found.read().decode())

    async def serve(self, connection: ServerConnection) -> None:
        """Hear what is wanted, then send it, and answer pings until the client has gone."""
        path = urlsplit(connection.request.path if connection.request else "")
        topics = {name for names in parse_qs(path.query).get("streams", []) for name in names.split("/")}
        if not topics:
            topics = await self.asked(connection)
        wrapped = self.traffic == "bybit" or path.path.endswith("/stream")
        sending = asyncio.ensure_future(self.send(connection, topics, wrapped=wrapped))
        try:
            await connection.wait_closed()
        finally:
            sending.cancel()

    async def asked(self, connection: ServerConnection) -> set[str]:
        """The topics of all messages until none follows."""
        topics: set[str] = set()
        while True:
            try:
                async with asyncio.timeout(QUIET if topics else None):
                    said = json.loads(await connection.recv())
            except TimeoutError:
                return topics
            topics |= set(said.get("params") or said.get("args") or ())
            number = {"req_id": said.get("req_id", ""), "op": said.get("op"), "success": True, "ret_msg": ""}
            await connection.send(json.dumps(number if "op" in said else {"result": None, "id": said.get("id")}))

    async def send(self, connection: ServerConnection, topics: set[str], *, wrapped: bool) -> None:
        """Write the frames, at a pace if there is one."""
        made = blocks(self.traffic, self.count, topics, wrapped=wrapped)
        ready = made if self.rate or self.count > PREPARED else list(made)
        began, sent = time.monotonic(), 0
        for block in ready:
            connection.transport.write(block)
            await connection.drain()
            sent += TOGETHER
            if self.rate and (early := began + sent / self.rate - time.monotonic()) > 0:
                await asyncio.sleep(early)


def blocks(traffic: str, count: int, topics: set[str], *, wrapped: bool) -> Iterator[bytes]:
    """Frames of these topics as they go over the wire, by the hundred."""
    waiting: list[bytes] = []
    for topic, data in bybit(count) if traffic == "bybit" else binance(count, mixed=traffic == "mixed"):
        if topic not in topics:
            continue
        whole = b'{"stream":"%b","data":%b}' % (topic.encode(), data) if wrapped and traffic != "bybit" else data
        waiting.append(Frame(Opcode.TEXT, whole).serialize(mask=False))
        if len(waiting) == TOGETHER:
            yield b"".join(waiting)
            waiting.clear()
    yield b"".join(waiting)


def binance(count: int, *, mixed: bool) -> Iterator[tuple[str, bytes]]:
    """Frames of Binance's futures with their topics: trades of one contract, or everything of several."""
    chance = random.Random(7)
    kinds = chance.choices(list(SHARES), weights=list(SHARES.values()), k=1_000) if mixed else ["aggTrade"]
    coins = chance.choices(list(COINS), weights=[4, 3, 2, 1], k=997) if mixed else ["BTCUSDT"]
    prices = {name: f"{price:.2f}".encode() for name, price in COINS.items()}
    numbers = dict.fromkeys(COINS, FIRST_ID)
    for index in range(count):
        kind, coin = kinds[index % len(kinds)], coins[index % len(coins)]
        numbers[coin] += kind == "aggTrade"
        sent = START + index // 10
        known = {b"name": coin.encode(), b"price": prices[coin], b"id": numbers[coin]}
        known |= {b"sent": sent, b"minute": sent // 60_000 * 60_000}
        yield f"{coin.lower()}@{kind}", SHAPES[kind] % known


SHAPES: dict[str, bytes] = {
    "aggTrade": (
        b'{"e":"aggTrade","E":%(sent)d,"a":%(id)d,"s":"%(name)b","p":"%(price)b","q":"0.301","nq":"0.301",'
        b'"f":8031029688,"l":8031029700,"T":%(sent)d,"m":false,"st":1}'
    ),
    "bookTicker": (
        b'{"e":"bookTicker","u":%(id)d,"s":"%(name)b","ps":"%(name)b","b":"%(price)b","B":"5.923","a":"%(price)b",'
        b'"A":"2.824","T":%(sent)d,"E":%(sent)d,"st":1}'
    ),
    "kline_1m": (
        b'{"e":"kline","E":%(sent)d,"s":"%(name)b","k":{"t":%(minute)d,"T":%(minute)d,"s":"%(name)b","i":"1m",'
        b'"f":8031029688,"l":8031029700,"o":"%(price)b","c":"%(price)b","h":"%(price)b","l":"%(price)b","v":"50.1",'
        b'"n":120,"x":false,"q":"4559100.0","V":"25.2","Q":"2293200.0","B":"0"},"st":1}'
    ),
    "ticker": (
        b'{"e":"24hrTicker","E":%(sent)d,"s":"%(name)b","ps":"%(name)b","p":"-12.5","P":"-0.014","w":"%(price)b",'
        b'"c":"%(price)b","Q":"0.301","o":"%(price)b","h":"%(price)b","l":"%(price)b","v":"125235.211",'
        b'"q":"7989662536.93","O":%(minute)d,"C":%(sent)d,"F":8031029688,"L":8031029700,"n":3120,"st":1}'
    ),
    "markPrice@1s": (
        b'{"e":"markPriceUpdate","E":%(sent)d,"s":"%(name)b","p":"%(price)b","ap":"%(price)b","P":"%(price)b",'
        b'"i":"%(price)b","r":"0.00010000","T":1795248000000,"st":1}'
    ),
    "forceOrder": (
        b'{"e":"forceOrder","E":%(sent)d,"o":{"s":"%(name)b","S":"BUY","o":"LIMIT","f":"IOC","q":"1.2","p":"%(price)b",'
        b'"ap":"%(price)b","X":"FILLED","l":"1.0","z":"1.2","T":%(sent)d,"ps":"%(name)b","st":1}}'
    ),
}


def bybit(count: int) -> Iterator[tuple[str, bytes]]:
    """Frames of Bybit's trades: one, one, two and four in a frame; ids are the frame's number and a digit."""
    topic = "publicTrade.BTCUSDT"
    for index in range(count):
        sent = START + index // 10
        trades: list[dict[str, Any]] = [
            {
                "i": f"{FIRST_ID + index + 1}{nth}",
                "T": sent,
                "p": "91000.10",
                "v": "0.301",
                "S": "Buy",
                "seq": 112571834997,
            }
            | {"s": "BTCUSDT", "BT": False, "RPI": False, "L": "PlusTick"}
            for nth in range((1, 1, 2, 4)[index % 4])
        ]
        frame = {"topic": topic, "ts": sent, "type": "snapshot", "data": trades}
        yield topic, json.dumps(frame, separators=(",", ":")).encode()


if __name__ == "__main__":
    main()

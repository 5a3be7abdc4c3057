"""The sandbox as a web application: one route for every host of every exchange, and a few of its own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute

from marketcli.errors import UsageError
from marketcli.sandbox import sockets, truth, wire
from marketcli.sandbox.refusals import http_date

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from starlette.requests import Request
    from starlette.types import ASGIApp
    from starlette.websockets import WebSocket

    from marketcli.sandbox.floor import Floor

PAGE = """mkt sandbox

This server plays crypto exchanges: made-up prices, real answers. It needs no network and no key.
Put its address before the host of an exchange:

  https://fapi.binance.com/fapi/v1/klines?symbol=BTCUSDT&interval=1m
  {url}fapi.binance.com/fapi/v1/klines?symbol=BTCUSDT&interval=1m

  mkt --via {url} ...      (or the base address of any other client)

Hosts
{hosts}

Streams, for example ws{rest}fstream.binance.com/market/stream
{streams}

Beside the exchanges
  /truth/ohlc?exchange=&market=&symbol=&interval=&start=&end=&format=csv|json[&price=mark|index|premium]
  /truth/funding?exchange=&market=&symbol=&start=&end=&format=csv|json
  /truth/oi?exchange=&market=&symbol=&interval=&start=&end=&format=csv|json
  /truth/ratio?exchange=&market=&symbol=&interval=&start=&end=&format=csv|json
  /truth/trades?exchange=&market=&symbol=&start=&end=&format=csv|json
  /truth/book?exchange=&market=&symbol=&depth=&format=csv|json
  /truth/ticker?exchange=&market=&format=csv|json[&symbol=]
  /truth/price?exchange=&market=&symbol=&format=csv|json
  /truth/instruments?exchange=&market=&format=csv|json
  /truth/liquidations?exchange=&market=&symbol=&start=&end=&format=csv|json
  /truth/undelivered what faults kept from clients that were connected, one JSON line each
  /stats             what was asked, weights, refusals, what the streams did
  /log               the last 10,000 requests and connections, one JSON line each
  /control/faults    POST a JSON list such as ["http503_burst", "delay:ms=200"]; [] ends them
"""
METHODS = ["GET", "POST", "PUT", "DELETE", "HEAD"]


def application(floor: Floor) -> Starlette:
    """The application over a floor of exchanges."""
    app = Starlette(
        routes=[
            Route("/", home),
            Route("/stats", stats),
            Route("/log", log),
            Route("/control/faults", faults, methods=["POST"]),
            Route("/truth/ohlc", rows(truth.ohlc)),
            Route("/truth/funding", rows(truth.funding)),
            Route("/truth/oi", rows(truth.interest)),
            Route("/truth/ratio", rows(truth.ratio)),
            Route("/truth/trades", rows(truth.trades)),
            Route("/truth/book", rows(truth.book)),
            Route("/truth/ticker", rows(truth.ticker)),
            Route("/truth/price", rows(truth.price)),
            Route("/truth/instruments", rows(truth.instruments)),
            Route("/truth/liquidations", rows(truth.liquidations)),
            Route("/truth/undelivered", undelivered),
            Route("/{host}/{path:path}", exchange, methods=METHODS),
            WebSocketRoute("/{host}/{path:path}", stream),
        ],
        exception_handlers={UsageError: refused, Exception: failed},
    )
    app.router.redirect_slashes = False
    app.state.floor = floor
    return app


async def home(request: Request) -> Response:
    """What this is and how to use it."""
    floor = floor_of(request)
    hosts = "\n".join(f"  {host}" for host in floor.hosts)
    streams = "\n".join(f"  {outlet.host}{outlet.path}" for _, outlet in floor.streams.outlets())
    url = str(request.base_url)
    page = PAGE.format(url=url, rest=url.removeprefix("http"), hosts=hosts, streams=streams)
    return PlainTextResponse(page, headers=dated(floor))


async def stats(request: Request) -> Response:
    """What was asked so far."""
    floor = floor_of(request)
    return as_json(floor.stats(), headers=dated(floor))


async def log(request: Request) -> Response:
    """The last requests, one JSON line each."""
    floor = floor_of(request)
    return as_lines(floor.log, headers=dated(floor))


async def faults(request: Request) -> Response:
    """Replace the faults by those in the body."""
    floor = floor_of(request)
    try:
        floor.set_faults(msgspec.json.decode(await request.body(), type=list[str]))
    except msgspec.DecodeError:
        raise UsageError("Faults are a JSON list of texts.", hint='For example ["http503_burst"].') from None
    return as_json({"faults": len(floor.faults) + len(floor.stream_faults)}, headers=dated(floor))


async def undelivered(request: Request) -> Response:
    """What faults kept from clients that were connected, one JSON line each."""
    floor = floor_of(request)
    return as_lines(floor.streams.undelivered(), headers=dated(floor))


def rows(of: Callable[[Floor, Mapping[str, str]], list[truth.Row]]) -> Callable[[Request], Awaitable[Response]]:
    """A route that answers the world's own rows."""

    async def answer(request: Request) -> Response:
        floor, params = floor_of(request), request.query_params
        body, kind = truth.written(of(floor, params), params.get("format", "json"))
        return Response(body, media_type=kind, headers=dated(floor))

    return answer


async def exchange(request: Request) -> ASGIApp:
    """What an exchange answers."""
    floor = floor_of(request)
    host, path = wire.address_of(request.scope["raw_path"])
    if host not in floor.hosts:
        return as_json({"error": "The sandbox does not play this host.", "hosts": list(floor.hosts)}, status=404)
    draft = floor.answer(
        request.method,
        host,
        path=path,
        query=request.url.query,
        body=await request.body(),
        headers=dict(request.headers),
    )
    wire.encoded(draft, request.headers.get("accept-encoding", ""))
    if draft.delay:
        await asyncio.sleep(draft.delay)
    return wire.outgoing(draft)


async def stream(websocket: WebSocket) -> None:
    """What an exchange streams."""
    host, path = wire.address_of(websocket.scope["raw_path"])
    await sockets.serve(websocket, host=host, path=path)


def floor_of(request: Request) -> Floor:
    """The exchanges behind the application."""
    floor: Floor = request.app.state.floor
    return floor


def dated(floor: Floor) -> dict[str, str]:
    """The sandbox's own answers carry the world's clock too."""
    return {"Date": http_date(floor.world.now())}


def as_json(document: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer of the sandbox itself."""
    return Response(msgspec.json.encode(document), status, headers=headers, media_type="application/json")


def as_lines(documents: Iterable[Any], *, headers: Mapping[str, str]) -> Response:
    """Documents, one on each line."""
    lines = b"".join(msgspec.json.encode(document) + b"\n" for document in documents)
    return Response(lines, media_type="application/x-ndjson", headers=headers)


async def refused(_: Request, error: Exception) -> Response:
    """A request for the sandbox itself that cannot be carried out."""
    hint = error.hint if isinstance(error, UsageError) else ""
    return as_json({"error": str(error), "hint": hint}, status=400)


async def failed(_: Request, error: Exception) -> Response:
    """A mistake in the sandbox, said aloud."""
    return as_json({"error": f"The sandbox itself failed: {error!r}"}, status=500)

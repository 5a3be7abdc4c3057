"""The sandbox as a web application: one route for every host of every exchange, and a few of its own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import msgspec
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from marketcli.errors import UsageError
from marketcli.sandbox import truth, wire
from marketcli.sandbox.refusals import http_date

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from marketcli.sandbox.floor import Floor

PAGE = """mkt sandbox

This server plays crypto exchanges: made-up prices, real answers. It needs no network and no key.
Put its address before the host of an exchange:

  https://fapi.binance.com/fapi/v1/klines?symbol=BTCUSDT&interval=1m
  {url}fapi.binance.com/fapi/v1/klines?symbol=BTCUSDT&interval=1m

  mkt --via {url} ...      (or the base address of any other client)

Hosts
{hosts}

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
  /stats             what was asked, weights, refusals
  /log               the last 10,000 requests, one JSON line each
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
            Route("/{host}/{path:path}", exchange, methods=METHODS),
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
    return PlainTextResponse(PAGE.format(url=request.base_url, hosts=hosts), headers=dated(floor))


async def stats(request: Request) -> Response:
    """What was asked so far."""
    floor = floor_of(request)
    return as_json(floor.stats(), headers=dated(floor))


async def log(request: Request) -> Response:
    """The last requests, one JSON line each."""
    floor = floor_of(request)
    lines = b"".join(msgspec.json.encode(line) + b"\n" for line in floor.log)
    return Response(lines, media_type="application/x-ndjson", headers=dated(floor))


async def faults(request: Request) -> Response:
    """Replace the faults by those in the body."""
    floor = floor_of(request)
    try:
        floor.set_faults(msgspec.json.decode(await request.body(), type=list[str]))
    except msgspec.DecodeError:
        raise UsageError("Faults are a JSON list of texts.", hint='For example ["http503_burst"].') from None
    return as_json({"faults": len(floor.faults)}, headers=dated(floor))


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
    host, path = address(request)
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


def floor_of(request: Request) -> Floor:
    """The exchanges behind the application."""
    floor: Floor = request.app.state.floor
    return floor


def dated(floor: Floor) -> dict[str, str]:
    """The sandbox's own answers carry the world's clock too."""
    return {"Date": http_date(floor.world.now())}


def address(request: Request) -> tuple[str, str]:
    """Host and path of the exchange that a request means; its port, if any, is left out."""
    host, _, path = request.scope["raw_path"].decode("ascii").lstrip("/").partition("/")
    return unquote(host).partition(":")[0].lower(), "/" + unquote(path)


def as_json(document: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer of the sandbox itself."""
    return Response(msgspec.json.encode(document), status, headers=headers, media_type="application/json")


async def refused(_: Request, error: Exception) -> Response:
    """A request for the sandbox itself that cannot be carried out."""
    hint = error.hint if isinstance(error, UsageError) else ""
    return as_json({"error": str(error), "hint": hint}, status=400)


async def failed(_: Request, error: Exception) -> Response:
    """A mistake in the sandbox, said aloud."""
    return as_json({"error": f"The sandbox itself failed: {error!r}"}, status=500)

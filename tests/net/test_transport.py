"""The seam to httpx: what is sent, what is never followed, and what its failures are called."""

from __future__ import annotations

import asyncio
import gzip
import json
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from marketcli.errors import CutBody, DeadlineExceeded, LocalError, MalformedBody, MarketError, Unreachable, UsageError
from marketcli.net.transport import Settings, Transport, reason
from marketcli.spec import Request

if TYPE_CHECKING:
    from pytest_httpx import HTTPXMock

    from marketcli.spec import Response

HOST = "https://fapi.binance.com"


def get(path: str = "/x", *, params: dict[str, str | int] | None = None, **settings: Any) -> Response:
    async def main() -> Response:
        transport = Transport(Settings(**settings), lambda: 0.0)
        try:
            return await transport.send(Request(HOST, path, params or {}), patience=5)
        finally:
            await transport.close()

    return asyncio.run(main())


def test_a_request_carries_its_parameters_and_asks_for_gzip_only(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(url=f"{HOST}/x?symbol=BTCUSDT&limit=5", content=b"[1]")
    answer = get(params={"symbol": "BTCUSDT", "limit": 5})
    (request,) = httpx_mock.get_requests()
    assert (answer.status, answer.body) == (200, b"[1]")
    assert request.headers["accept-encoding"] == "gzip"
    assert request.headers["user-agent"].startswith("marketcli/")
    assert not {"authorization", "cookie"} & set(request.headers)


def test_a_post_carries_its_parameters_as_json(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(method="POST", content=b"[1]")

    async def main() -> None:
        transport = Transport(Settings(), lambda: 0.0)
        request = Request(HOST, "/info", {"type": "meta", "limit": 5}, "POST", {"x-simulated-trading": "1"})
        await transport.send(request, patience=5)
        await transport.close()

    asyncio.run(main())
    (request,) = httpx_mock.get_requests()
    assert json.loads(request.content) == {"type": "meta", "limit": 5}
    assert request.headers["content-type"] == "application/json"
    assert request.headers["x-simulated-trading"] == "1"
    assert request.url.query == b""


def test_names_beyond_ascii_are_percent_encoded(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(content=b"[]")
    get(params={"symbol": "币安USDT&x=1"})
    (request,) = httpx_mock.get_requests()
    assert b"symbol=%E5%B8%81%E5%AE%89USDT%26x%3D1" in request.url.query


def test_a_gzip_body_is_inflated_by_us_and_a_cut_one_is_an_error(httpx_mock: HTTPXMock) -> None:
    packed = gzip.compress(b"[1,2,3]")
    httpx_mock.add_response(content=packed, headers={"content-encoding": "gzip"})
    assert get().body == b"[1,2,3]"
    httpx_mock.add_response(content=packed[:-4], headers={"content-encoding": "gzip"})
    with pytest.raises(CutBody):
        get()
    httpx_mock.add_response(content=packed, headers={"content-encoding": "br"})
    with pytest.raises(MalformedBody):
        get()


def test_redirects_are_answers_not_ways(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=302, headers={"location": "https://evil.example/"})
    assert get().status == 302
    assert len(httpx_mock.get_requests()) == 1


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (httpx.ConnectError("refused"), Unreachable),
        (httpx.ConnectTimeout("slow"), Unreachable),
        (httpx.ProxyError("407"), Unreachable),
        (httpx.ReadTimeout("slow"), DeadlineExceeded),
        (httpx.ReadError("reset"), CutBody),
        (httpx.RemoteProtocolError("peer closed"), CutBody),
    ],
)
def test_failures_have_our_names_and_the_host(
    httpx_mock: HTTPXMock, raised: Exception, kind: type[MarketError]
) -> None:
    httpx_mock.add_exception(raised)
    with pytest.raises(kind) as caught:
        get()
    assert "fapi.binance.com" in caught.value.message


def test_the_innermost_cause_of_a_failed_connection_is_told() -> None:
    error = httpx.ConnectError("All connection attempts failed")
    error.__cause__ = OSError(111, "Connection refused")
    assert reason(error) == "Connection refused"


def test_what_libraries_tried_before_is_no_cause() -> None:
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:9 cannot be reached: Connection refused\.") as caught:
        asyncio.run(refused())
    assert "loop" not in caught.value.message


async def refused() -> None:
    transport = Transport(Settings(), lambda: 0.0)
    try:
        await transport.send(Request("http://127.0.0.1:9", "/x"), patience=5)
    finally:
        await transport.close()


def test_offline_nothing_leaves() -> None:
    with pytest.raises(Unreachable, match="--offline"):
        get(offline=True)


def test_via_takes_everything_through_one_address(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(url="http://127.0.0.1:9000/fapi.binance.com/x", content=b"[]")
    assert get(via="http://127.0.0.1:9000", offline=True).body == b"[]"


def test_a_socks_proxy_without_its_package_is_a_sentence() -> None:
    with pytest.raises(UsageError, match="SOCKS") as caught:
        get(proxy="socks5://127.0.0.1:9")
    assert "marketcli[socks]" in caught.value.hint


def test_certificates_that_cannot_be_read_are_told() -> None:
    with pytest.raises(LocalError, match=r"nosuch\.pem"):
        get(ca_file="nosuch.pem")


SELF_SIGNED = Path(__file__).parent.parent / "payloads" / "self_signed_localhost.pem"


def over_tls(**settings: Any) -> Response:
    """Ask a server on this machine whose certificate only itself vouches for."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]")
        await writer.drain()
        writer.close()

    async def main() -> Response:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(SELF_SIGNED)
        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
        transport = Transport(Settings(**settings), lambda: 0.0)
        try:
            return await transport.send(Request(f"https://127.0.0.1:{port}", "/x"), patience=5)
        finally:
            await transport.close()
            server.close()

    return asyncio.run(main())


def test_a_certificate_nobody_vouches_for_is_refused() -> None:
    with pytest.raises(Unreachable, match="certificate verify failed"):
        over_tls()


def test_ca_file_adds_somebody_to_trust() -> None:
    assert over_tls(ca_file=str(SELF_SIGNED)).body == b"[]"

"""OKX: spot, and swaps and futures, linear and inverse."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from marketcli.datasets import (
    BOOK,
    FUNDING,
    FUNDING_HISTORY,
    INDEX_OHLC,
    INSTRUMENTS,
    LIQUIDATIONS,
    MARK_OHLC,
    OHLC,
    OI,
    OI_HISTORY,
    PREMIUM_OHLC,
    PRICE,
    RATIO_ACCOUNTS,
    RATIO_TAKER,
    RATIO_TOP_ACCOUNTS,
    RATIO_TOP_POSITIONS,
    TICKER,
    TRADES,
    TRADES_HISTORY,
    Dataset,
)
from marketcli.exchanges.okx import derivatives, market, rest
from marketcli.exchanges.okx.frames import OPENING, sockets
from marketcli.exchanges.okx.stream import CHANNELS
from marketcli.models import Market
from marketcli.paging import backward, by_window, whole
from marketcli.spec import DERIVATIVES, EVERY, Budget, Endpoint, Exchange, Site

SPOT = frozenset({Market.SPOT})
TRADED = "order-book-trading-market-data-get-"
PUBLIC = "public-data-rest-api-get-"
STATISTICS = "trading-statistics-rest-api-get-"

INTEREST = "rubik/stat/contracts/open-interest-history"
ACCOUNTS = "rubik/stat/contracts/long-short-account-ratio-contract"
TOP_ACCOUNTS = f"{ACCOUNTS}-top-trader"
TOP_POSITIONS = "rubik/stat/contracts/long-short-position-ratio-contract-top-trader"
TAKERS = "rubik/stat/taker-volume-contract"

# What an address may ask for in two seconds, and where that stands. What OKX counts by instrument counts together here.
PATHS = {
    "market/candles": (40, TRADED + "candlesticks"),
    "market/history-candles": (20, TRADED + "candlesticks-history"),
    "market/mark-price-candles": (20, PUBLIC + "mark-price-candlesticks"),
    "market/history-mark-price-candles": (20, PUBLIC + "mark-price-candlesticks-history"),
    "market/index-candles": (20, PUBLIC + "index-candlesticks"),
    "market/history-index-candles": (10, PUBLIC + "index-candlesticks-history"),
    "market/ticker": (20, TRADED + "ticker"),
    "market/tickers": (20, TRADED + "tickers"),
    "market/index-tickers": (20, PUBLIC + "index-tickers"),
    "market/books": (40, TRADED + "order-book"),
    "market/trades": (100, TRADED + "trades"),
    "market/history-trades": (20, TRADED + "trades-history"),
    "public/instruments": (20, PUBLIC + "instruments"),
    "public/mark-price": (10, PUBLIC + "mark-price"),
    "public/open-interest": (20, PUBLIC + "open-interest"),
    "public/funding-rate": (10, PUBLIC + "funding-rate"),
    "public/funding-rate-history": (10, PUBLIC + "funding-rate-history"),
    INTEREST: (10, STATISTICS + "contract-open-interest-history"),
    ACCOUNTS: (5, STATISTICS + "contract-long-short-ratio"),
    TOP_ACCOUNTS: (5, STATISTICS + "top-traders-contract-long-short-ratio"),
    TOP_POSITIONS: (5, STATISTICS + "top-traders-contract-long-short-ratio-by-position"),
    TAKERS: (5, STATISTICS + "contract-taker-volume"),
}
KEPT = 1_440  # candles and points of each interval that the newer endpoints have
MONTHS = timedelta(days=90)  # the three months that settlements and trades are kept for, at their shortest
ALL = 100_000  # rows: no list is as long


def cell(dataset: Dataset, path: str, reading: rest.Reading, **more: Any) -> Endpoint:
    """An endpoint, whose requests are counted by its path; unless said, it gives one row about a contract."""
    decode, columns = reading
    docs, cost = f"https://www.okx.com/docs-v5/en/#{PATHS[path][1]}", {f"okx {path}": 1}
    usual: dict[str, Any] = {"params": rest.by_name, "pages": whole, "limit": 1, "markets": DERIVATIVES}
    fields = usual | {"decode": decode, "columns": columns, "docs": docs} | more
    return Endpoint(dataset, f"/api/v5/{path}", cost=lambda _: cost, **fields)


def now(dataset: Dataset, path: str, reading: rest.Reading, **more: Any) -> Endpoint:
    """An endpoint that says how things stand."""
    return cell(dataset, path, reading, reach="now", **more)


def candles(dataset: Dataset, path: str, reading: rest.Reading, **more: Any) -> Endpoint:
    """The newest candles, and behind them those of the years before."""
    more |= {"params": rest.candle_params, "pages": by_window}
    earlier = cell(dataset, f"market/history-{path}", reading, **more)
    return cell(dataset, f"market/{path}", reading, newest=KEPT, earlier=earlier, **more)


def statistic(dataset: Dataset, path: str, reading: rest.Reading, **more: Any) -> Endpoint:
    """The newest points of something at regular times."""
    usual: dict[str, Any] = {"params": derivatives.point_params, "intervals": derivatives.PERIODS}
    return cell(dataset, path, reading, pages=by_window, limit=100, newest=KEPT, **(usual | more))


def prices_beside(dataset: Dataset) -> tuple[Endpoint, Endpoint]:
    """Mark and index price, as a part of other answers."""
    return (
        now(dataset, "public/mark-price", derivatives.MARKS, params=derivatives.typed_params),
        now(dataset, "market/index-tickers", derivatives.INDICES, params=derivatives.by_pair, on="pair"),
    )


def of_market(markets: frozenset[Market], *, bar: rest.Reading, **readings: rest.Reading) -> tuple[Endpoint, ...]:
    """What spot and contracts both have, whose sizes they count differently."""
    trade, where = readings["trade"], {"markets": markets}
    beside = () if markets is SPOT else prices_beside(PRICE)
    types = {"params": rest.type_params, "pages": rest.by_type, "limit": ALL}
    past = {"params": market.past_params, "pages": market.by_trade, "limit": 100, "lookback": MONTHS}
    return (
        candles(OHLC, "candles", bar, limit=300, **where),
        now(PRICE, "market/ticker", market.LAST_PRICES, joins=beside, **where),
        now(TICKER, "market/tickers", readings["ticker"], **types, **where),
        now(BOOK, "market/books", readings["book"], params=market.book_params, limit=400, **where),
        now(TRADES, "market/trades", trade, params=market.trade_params, limit=500, **where),
        cell(TRADES_HISTORY, "market/history-trades", trade, **past, **where),
    )


LIST = now(
    INSTRUMENTS,
    "public/instruments",
    rest.INSTRUMENTS,
    params=rest.type_params,
    pages=rest.by_type,
    limit=ALL,
    markets=EVERY,
)
OF_SPOT = of_market(
    SPOT, bar=rest.SPOT_CANDLES, ticker=market.SPOT_TICKERS, book=market.SPOT_BOOK, trade=market.SPOT_TRADES
)
OF_CONTRACTS = of_market(
    DERIVATIVES,
    bar=rest.CONTRACT_CANDLES,
    ticker=market.CONTRACT_TICKERS,
    book=market.CONTRACT_BOOK,
    trade=market.CONTRACT_TRADES,
)
IN_DOLLARS = "OKX gives the value of past open interest in USD: oi_quote is empty where the quote is something else."
OF_PRICES = {"limit": 100, "intervals": rest.PRICE_INTERVALS}
OF_DERIVATIVES = (
    candles(MARK_OHLC, "mark-price-candles", rest.PRICE_CANDLES, **OF_PRICES),
    candles(INDEX_OHLC, "index-candles", rest.PRICE_CANDLES, **OF_PRICES),
    now(OI, "public/open-interest", derivatives.INTEREST, params=derivatives.typed_params, joins=prices_beside(OI)[:1]),
    now(FUNDING, "public/funding-rate", derivatives.FUNDING, joins=prices_beside(FUNDING)),
    cell(
        FUNDING_HISTORY,
        "public/funding-rate-history",
        derivatives.SETTLEMENTS,
        params=derivatives.settlement_params,
        pages=backward,
        limit=400,
        lookback=MONTHS,
    ),
    statistic(OI_HISTORY, INTEREST, derivatives.POINTS, note=IN_DOLLARS),
    statistic(RATIO_ACCOUNTS, ACCOUNTS, derivatives.RATIOS),
    statistic(RATIO_TOP_ACCOUNTS, TOP_ACCOUNTS, derivatives.RATIOS),
    statistic(RATIO_TOP_POSITIONS, TOP_POSITIONS, derivatives.RATIOS),
    statistic(RATIO_TAKER, TAKERS, derivatives.TAKERS, params=derivatives.taker_params),
)

# Why a market has not what others have.
NO_PRICES = "spot instruments have no mark, index or premium price; derivatives do (--market linear)"
NO_POSITIONS = "spot has no positions, so nothing is open and no funding is paid; derivatives do (--market linear)"
NO_SIDES = "spot has no positions that could be long or short; derivatives do (--market linear)"
BY_COIN = "OKX sums what takers do on spot by coin, not by instrument; derivatives have it (--market linear)"
NO_PREMIUM = "OKX keeps single values of the premium, and no candles of it"


NO_LOANS = "spot has no positions; the loans OKX closes there are not followed, derivatives are (--market linear)"


def site(host: str, streams: str, **headers: str) -> Site:
    """One installation, the same for all markets, and the host of its streams."""
    return Site(hosts=dict.fromkeys(Market, (f"https://{host}",)), headers=headers, sockets=sockets(streams))


EXCHANGE = Exchange(
    name="okx",
    title="OKX",
    sites={
        "live": site("www.okx.com", "ws.okx.com"),
        "eea": site("eea.okx.com", "wseea.okx.com"),
        "us": site("us.okx.com", "wsus.okx.com"),
        "testnet": site("www.okx.com", "wspap.okx.com", **{"x-simulated-trading": "1"}),
    },
    budgets=(*(Budget(f"okx {path}", limit, seconds=2) for path, (limit, _) in PATHS.items()), OPENING),
    intervals=rest.INTERVALS,
    instruments=(LIST,),
    endpoints=(*OF_SPOT, *OF_CONTRACTS, *OF_DERIVATIVES),
    refuse=rest.refuse,
    absent={(dataset, Market.SPOT): NO_PRICES for dataset in (MARK_OHLC, INDEX_OHLC, PREMIUM_OHLC)}
    | {(dataset, Market.SPOT): NO_POSITIONS for dataset in (OI, OI_HISTORY, FUNDING, FUNDING_HISTORY)}
    | {(dataset, Market.SPOT): NO_SIDES for dataset in (RATIO_ACCOUNTS, RATIO_TOP_ACCOUNTS, RATIO_TOP_POSITIONS)}
    | {(RATIO_TAKER, Market.SPOT): BY_COIN}
    | {(PREMIUM_OHLC, one): NO_PREMIUM for one in DERIVATIVES},
    unknowns=(
        "Candles of one second, which OKX keeps for three months, are not asked for.",
        "Where candles of 2 and 3 days begin is not documented; those that begin elsewhere than ours are counted.",
        "Candles do not say how many trades they hold, nor what takers bought.",
        "Open interest history and ratios are the newest 1,440 points of each interval.",
        "Funding history and past trades reach back about three months; settlements have no mark prices.",
        "X-Perps are futures with a last day years ahead that pay funding: they count as perpetuals.",
        "Order books end after 400 levels a side.",
    ),
    channels=CHANNELS,
    unstreamed={(LIQUIDATIONS, Market.SPOT): NO_LOANS}
    | {(dataset, Market.SPOT): NO_POSITIONS for dataset in (FUNDING, OI)},
)

"""The order book of the world, and the ticker that shows the best of it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketcli.models import DAY, HOUR, MILLISECOND, SECOND, Interval, Market, Window
from marketcli.windows import parse_time
from marketcli.world import Book, Listing, World

NOW = parse_time("2026-11-21T00:02:03.456", now=0)
WORLD = World(clock=lambda: NOW)
TRADING = [item for item in WORLD.listings() if item.status == "trading"]
CALM = settings(deadline=None, derandomize=True, database=None)


def find(market: Market, base: str, *, world: World = WORLD) -> Listing:
    return next(item for item in world.listings(market) if item.base == base)


BTC, INVERSE, PEPE = find(Market.LINEAR, "BTC"), find(Market.INVERSE, "BTC"), find(Market.SPOT, "PEPE")


def at(now: int, *, seed: int = 7) -> World:
    return World(seed, clock=lambda: now)


@settings(CALM, max_examples=150)
@given(listing=st.sampled_from(TRADING), back=st.integers(0, 30 * DAY), depth=st.integers(1, 60))
def test_the_last_price_is_the_best_of_one_side_and_nothing_is_crossed(listing: Listing, back: int, depth: int) -> None:
    now = max(listing.listed, NOW - back)
    world = at(now)
    book = world.book(listing, depth)
    assert (len(book.bids), len(book.asks)) == (depth, depth)
    assert book.time == now // (100 * MILLISECOND) * 100 * MILLISECOND
    best = (book.bids[0].price, book.asks[0].price)
    assert best[0] < best[1]
    assert world.last(listing) in best
    assert best[1] / best[0] - 1 < 5e-5 or best[1] - best[0] < 1.5 * float(listing.tick)
    assert all(dear.price > cheap.price for dear, cheap in pairwise(book.bids))
    assert all(cheap.price < dear.price for cheap, dear in pairwise(book.asks))
    assert_on_the_grid(listing, book)


def assert_on_the_grid(listing: Listing, book: Book) -> None:
    for level in (*book.bids, *book.asks):
        assert level.price > 0
        assert float(f"{level.price / float(listing.tick):.5f}").is_integer()
        if listing.market is Market.INVERSE:
            assert level.size == level.contracts * listing.contract_size / level.price
            assert 1 <= level.orders <= level.contracts
        else:
            assert (level.contracts, level.size >= float(listing.lot)) == (0, True)
            assert float(f"{level.size / float(listing.lot):.3f}").is_integer()
            assert 1 <= level.orders <= round(level.size / float(listing.lot))


@pytest.mark.parametrize("listing", [BTC, INVERSE, PEPE], ids=["linear", "inverse", "few ticks"])
def test_a_shallow_book_is_the_top_of_a_deep_one(listing: Listing) -> None:
    deep, shallow = WORLD.book(listing, 1_000), at(NOW).book(listing, 5)
    assert (deep.bids[:5], deep.asks[:5]) == (shallow.bids, shallow.asks)
    assert len(deep.asks) == 1_000
    assert len(deep.bids) == 1_000 or deep.bids[-1].price < 5 * float(listing.tick)


@pytest.mark.parametrize("listing", TRADING, ids=lambda item: f"{item.market}-{item.base}-{item.quote}-{item.expiry}")
def test_what_is_offered_is_a_small_share_of_a_day(listing: Listing) -> None:
    book = WORLD.book(listing, 1_000)
    (day,) = WORLD.candles(listing, Interval.parse("1d"), Window(NOW // DAY * DAY - DAY, NOW // DAY * DAY))
    for levels in (book.bids, book.asks):
        assert 0.0005 < sum(level.price * level.size for level in levels) / day.volume_quote < 0.2


def test_sizes_grow_away_from_the_price() -> None:
    near, middle, far = 0.0, 0.0, 0.0
    for second in range(50):
        asks = at(NOW - 30 * second * SECOND).book(BTC, 1_000).asks
        near += sum(level.size for level in asks[1:21])
        middle += sum(level.size for level in asks[200:220])
        far += sum(level.size for level in asks[980:1_000])
    assert 1.5 * near < middle
    assert 1.2 * middle < far


def test_orders_stay_and_the_best_is_always_eaten_into() -> None:
    """Most levels of the next tenth of a second are those of this one."""
    books = [at(NOW // SECOND * SECOND + tenth * 100 * MILLISECOND).book(BTC, 500) for tenth in range(10)]
    assert [book.update_id for book in books] == [books[0].update_id + n for n in range(10)]
    for before, after in pairwise(books):
        assert len(set(before.asks[20:]) & set(after.asks[20:])) > 350
    assert len({book.bids[0].size for book in books} | {book.asks[0].size for book in books}) > 10
    assert at(NOW + DAY).book(BTC, 1).update_id - WORLD.book(BTC, 1).update_id == 864_000


def test_the_last_price_is_now_the_best_bid_and_now_the_best_ask() -> None:
    worlds = [at(NOW - second * SECOND) for second in range(40)]
    bid = [world.last(BTC) == world.book(BTC, 1).bids[0].price for world in worlds]
    assert 8 < sum(bid) < 32


def test_a_book_belongs_to_its_tenth_of_a_second_seed_and_listing() -> None:
    start = NOW // SECOND * SECOND
    assert at(start + 99_999).book(BTC, 50) == at(start).book(BTC, 50) != at(start + 100_000).book(BTC, 50)
    assert at(start, seed=8).book(BTC, 50) != at(start).book(BTC, 50)
    sizes = [[level.size for level in at(start).book(item, 50).bids] for item in WORLD.listings(Market.LINEAR)]
    assert len({tuple(row) for row in sizes if row}) == sum(bool(row) for row in sizes)


def test_nothing_is_offered_where_nothing_trades() -> None:
    matic = find(Market.LINEAR, "MATIC")
    assert matic.expiry is not None
    for world in (WORLD, at(matic.expiry), at(matic.listed - 1)):
        book = world.book(matic, 10)
        assert (book.time, book.update_id, book.bids, book.asks) == (world.now(), 0, [], [])
    assert at(matic.expiry - 1).book(matic, 10).bids
    assert len(at(matic.listed).book(matic, 10).asks) == 10
    assert at(matic.listed + HOUR).book(matic, 1).update_id > at(matic.listed).book(matic, 1).update_id > 0


def test_coarse_ticks_end_at_the_smallest_price() -> None:
    book = WORLD.book(PEPE, 2_000)
    assert book.bids[-1].price == float(PEPE.tick)
    assert len(book.bids) < len(book.asks) == 2_000

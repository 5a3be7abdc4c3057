"""Panels: what they say of what came, at any size, quiet and in a storm."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from output.samples import HOSTILE, screen
from stand_in import (
    ABSENT,
    COINS,
    LINEAR,
    MAKERS,
    NOW,
    Feeds,
    Source,
    blind,
    candle,
    funding,
    instrument,
    interest,
    large,
    liquidation,
    replace_exchange,
    status,
    ticker,
    trade,
)

from marketcli.datasets import dataset_named
from marketcli.errors import NotOffered
from marketcli.live.events import State
from marketcli.models import MINUTE, SECOND
from marketcli.output.layout import width_of
from marketcli.output.panels.lines import cut
from marketcli.output.panels.panel import About
from marketcli.output.panels.views import VIEWS, panel_of
from marketcli.output.theme import ASCII, DRAWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syrupy.assertion import SnapshotAssertion

    from marketcli.live.events import Event
    from marketcli.output.panels.panel import Panel

SIZES = ((80, 24), (160, 48))
REFUSED = NotOffered(HOSTILE)
BOTH = (Source(completeness="sampled"), Source("bybit", "Bybit", completeness="full"))


class Standing(Feeds):
    """Feeds whose clocks move only when told."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.time = 100.0
        for vitals in self.vitals.values():
            vitals.last = 99.7

    def monotonic(self) -> float:
        return self.time

    def take(self, panel: Panel, events: Sequence[Event]) -> None:
        self.count(list(events))
        for vitals in self.vitals.values():
            vitals.last = self.time - 0.3
        for event in events:
            panel.apply(event)

    def later(self, seconds: float) -> None:
        self.time += seconds
        assert self.clock is not None
        self.clock += int(seconds * SECOND)


def panel(name: str, feeds: Feeds, **more: Any) -> Panel:
    return panel_of(dataset_named(name), feeds, About(name.replace("_", " ").capitalize(), **more))


def shown(view: Panel, columns: int = 80, lines: int = 24, *, color: bool = False, encoding: str = "utf-8") -> str:
    console, behind = screen(columns, color=color, encoding=encoding)
    console.print(view, width=columns, height=lines, soft_wrap=True, end="")
    return behind.getvalue().decode(encoding)


def storm(name: str, count: int, at: int) -> list[Any]:
    """Many events of two exchanges, some of them late."""
    if name == "ohlc":
        return [
            candle(
                number,
                at=at - at % MINUTE - (count - 1 - number) * MINUTE,
                closed=number < count - 1,
                name=f"{coin}-USDT-PERP",
            )
            for coin in COINS[:2]
            for number in range(count)
        ]
    made = [MAKERS[name](number, at=at - number % 7 * SECOND) for number in range(count)]
    if name == "liquidations":
        return [replace_exchange(one, number) for number, one in enumerate(made)]
    return made


def in_a_storm(name: str) -> Panel:
    """A panel after ten seconds of many events, a loss and a return."""
    feeds = Standing(sources=BOTH if name == "liquidations" else BOTH[:1])
    view = panel(name, feeds, conditions=("50.0k USD or more",))
    for second in range(10):
        feeds.later(1.0)
        assert feeds.clock is not None
        feeds.take(view, storm(name, 300 + second, feeds.clock))
        view.lines(80, 24)
    feeds.take(view, [status(State.LOST, text="closed with 1006"), status(State.LIVE), blind(at=feeds.now(""))])
    feeds.take(view, [blind(repaired=True, at=feeds.now("")), *storm(name, 3, feeds.now(""))])
    return view


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("name", VIEWS)
def test_quiet(name: str, size: tuple[int, int], snapshot: SnapshotAssertion) -> None:
    assert shown(panel(name, Standing(sources=BOTH)), *size) == snapshot


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("name", VIEWS)
def test_in_a_storm(name: str, size: tuple[int, int], snapshot: SnapshotAssertion) -> None:
    assert shown(in_a_storm(name), *size) == snapshot


@pytest.mark.parametrize("name", VIEWS)
def test_in_colour(name: str, snapshot: SnapshotAssertion) -> None:
    assert shown(in_a_storm(name), color=True).replace("\x1b", "<ESC>") == snapshot


@pytest.mark.parametrize("size", [*SIZES, (60, 10), (61, 11), (100, 30), (112, 12), (250, 100)], ids=str)
@pytest.mark.parametrize("name", VIEWS)
def test_every_size_is_filled_and_no_line_is_longer(name: str, size: tuple[int, int]) -> None:
    for view in (in_a_storm(name), panel(name, Standing(sources=BOTH))):
        lines = shown(view, *size).split("\n")
        assert len(lines) == size[1]
        assert max(map(width_of, lines)) <= size[0]
        assert lines[0].startswith(view.about.title)
        assert lines[-1].startswith("q quit")


@pytest.mark.parametrize("name", VIEWS)
def test_colour_only_underlines(name: str) -> None:
    view = in_a_storm(name)
    assert re.sub(r"\x1b\[[0-9;]*m", "", shown(view, color=True)) == shown(view)


@pytest.mark.parametrize("name", VIEWS)
def test_in_ascii(name: str) -> None:
    feeds = Standing(sources=BOTH)
    view = panel(name, feeds, glyphs=ASCII)
    feeds.take(view, storm(name, 50, NOW))
    assert "?" not in shown(view, 120, 40, encoding="ascii")


@pytest.mark.parametrize("size", [(59, 24), (80, 9), (20, 5), (1, 1)], ids=str)
def test_a_terminal_that_is_too_small_gets_a_sentence(size: tuple[int, int]) -> None:
    said = shown(in_a_storm("trades"), *size)
    assert len(said.split("\n")) <= size[1]
    if size[0] > 20:
        assert " ".join(said.split()) == (
            f"The terminal is {size[0]} x {size[1]}; a panel needs 60 x 10. q or Ctrl-C ends it."
        )


@pytest.mark.parametrize("name", VIEWS)
def test_names_do_nothing_to_a_terminal(name: str) -> None:
    import msgspec  # noqa: PLC0415

    feeds = Standing(sources=[Source(instruments=(instrument(HOSTILE),), completeness="full")], failures=[REFUSED])
    view = panel(name, feeds, conditions=("x",))
    records = [msgspec.structs.replace(MAKERS[name](number), symbol=HOSTILE, native=HOSTILE) for number in range(3)]
    feeds.take(view, [*records, status(State.LOST, text=HOSTILE), blind()])
    for size in SIZES:
        printed = shown(view, *size)
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]", printed)
        assert len(printed.split("\n")) == size[1]


def test_wide_characters_keep_the_columns() -> None:
    feeds = Standing()
    view = panel("trades", feeds)
    feeds.take(view, [trade(1, name="币安人生-USDT-PERP"), trade(2)])
    lines = [line for line in shown(view).split("\n") if line.startswith("12:00:00.000")]
    assert len({width_of(line.partition("buy")[0]) for line in lines}) == 1


def figures(view: Panel, label: str, size: tuple[int, int] = (80, 24)) -> list[str]:
    """The cells of the line that begins so."""
    line = next(line for line in shown(view, *size).split("\n") if line.startswith(label))
    return re.split(r"\s{2,}", line.strip())[1:]


def test_sums_are_of_the_last_minute_five_minutes_and_hour_by_the_events_own_times() -> None:
    feeds = Standing(sources=BOTH)
    view = panel("liquidations", feeds)
    made = [liquidation(1, at=NOW - 1), liquidation(1, at=NOW - 59 * SECOND), liquidation(1, at=NOW - 61 * SECOND)]
    made += [liquidation(1, at=NOW - 299 * SECOND), liquidation(1, at=NOW - 3_500 * SECOND)]
    made += [liquidation(1, at=NOW - 5_000 * SECOND), liquidation(3), liquidation(1, at=NOW + 9 * SECOND)]
    feeds.take(view, made)
    assert [cell.partition("(")[2] for cell in figures(view, "longs")] == ["3)", "5)", "6)", "7)"]
    assert [cell.partition("(")[2] for cell in figures(view, "shorts")] == ["1)", "1)", "1)", "1)"]
    feeds.later(58)
    assert [cell.partition("(")[2] for cell in figures(view, "longs")] == ["2)", "4)", "6)", "7)"]
    feeds.later(5_000)
    assert [cell.partition("(")[2] for cell in figures(view, "longs")] == ["0)", "0)", "0)", "7)"]


def test_each_exchange_has_its_own_clock() -> None:
    feeds = Standing(sources=BOTH)
    ahead = {"binance": 0, "bybit": 120 * SECOND}
    feeds.now = lambda exchange: NOW + ahead[exchange]  # type: ignore[method-assign, assignment]
    view = panel("liquidations", feeds)
    feeds.take(view, [liquidation(1, at=NOW - 30 * SECOND)])
    feeds.take(view, [liquidation(1, at=NOW + 90 * SECOND, exchange="bybit")])
    feeds.take(view, [liquidation(1, at=NOW + 30 * SECOND, exchange="bybit")])
    assert figures(view, "longs")[0].endswith("(2)")


def test_windows_that_the_watch_is_too_young_for_say_so() -> None:
    feeds = Standing()
    view = panel("trades", feeds)
    feeds.later(61)
    heads = shown(view).split("\n")[1]
    assert (heads.count("so far"), "1 m so far" in heads) == (2, False)
    feeds.later(3_600)
    assert "so far" not in shown(view).split("\n")[1]


def test_sums_are_dollars_and_what_has_none_is_counted() -> None:
    feeds = Standing()
    view = panel("trades", feeds)
    feeds.take(view, [trade(1), trade(2), trade(3), trade(1, usd=None)])
    buys = (trade(1).notional_usd or 0) + (trade(2).notional_usd or 0)
    assert figures(view, "buys")[-1].startswith(f"{buys / 1_000:.0f}k (3)")
    assert "1 without a value in USD" in shown(view)
    assert "buys 110k USD" in view.said()
    other = panel("trades", feeds)
    feeds.take(other, [trade(1, usd=None)])
    assert figures(other, "buys") == ["0 (1)"] * 4


def test_imbalance_and_rate() -> None:
    feeds = Standing()
    view = panel("trades", feeds)
    feeds.later(20)
    assert feeds.clock is not None
    feeds.take(view, [trade(1, at=feeds.clock)] * 30 + [trade(3, at=feeds.clock)] * 10)
    one, other = trade(1).notional * 30, trade(3).notional * 10
    assert figures(view, "imbalance")[0] == f"{(one - other) / (one + other) * 100:+.1f}%"
    assert figures(view, "per second") == ["2.0"] * 4


def test_a_late_record_does_not_move_the_clock_and_a_mad_one_does_not_wipe_the_hour() -> None:
    feeds = Standing()
    view = panel("trades", feeds)
    feeds.take(view, [trade(1), trade(1, at=NOW + 10**15), trade(1, at=NOW - 10**15)])
    assert [cell.partition("(")[2] for cell in figures(view, "buys")] == ["2)", "2)", "2)", "3)"]


def test_memory_is_bounded() -> None:
    feeds = Standing()
    view: Any = panel("trades", feeds)
    feeds.take(view, [trade(number) for number in range(3_000)])
    assert len(view.tape) <= 400
    assert len(view.flow.largest.heap) <= 20
    candles: Any = panel("ohlc", feeds)
    feeds.take(candles, [candle(number, at=NOW + number * MINUTE) for number in range(1_000)])
    assert [len(kept) for kept in candles.known.values()] == [200]


def test_the_largest_come_first_the_oldest_of_equals_before_the_others() -> None:
    feeds = Standing()
    view: Any = panel("large_trades", feeds)
    feeds.take(view, [large(number % 997, at=NOW + number) for number in range(2_000)])
    best = [one.notional_usd for one in view.flow.largest.ranked()]
    every = sorted((large(number % 997).notional for number in range(2_000)), reverse=True)
    assert best == every[:20]
    times = [one.time for one in view.flow.largest.ranked()]
    assert all(one < other for one, other, a, b in zip(times, times[1:], best, best[1:], strict=False) if a == b)


def test_of_many_equal_ones_the_first_stay() -> None:
    feeds = Standing()
    view: Any = panel("large_trades", feeds)
    feeds.take(view, [large(1, at=NOW + number) for number in range(30)])
    assert [one.time - NOW for one in view.flow.largest.ranked()] == list(range(20))


def test_the_tape_shows_the_newest_first_and_gaps_where_they_were() -> None:
    feeds = Standing()
    view = panel("trades", feeds)
    feeds.take(view, [trade(1), blind(), trade(2), blind(repaired=True)])
    lines = shown(view).split("\n")
    first = next(place for place, line in enumerate(lines) if "time UTC" in line)
    assert [line.split()[0] for line in lines[first + 1 : first + 5]] == [
        "filled",
        "12:00:00.000",
        "gap",
        "12:00:00.000",
    ]
    assert "disconnected, not filled" in lines[first + 3]
    assert "filled from REST, 7 rows" in lines[first + 1]


def test_a_pause_holds_the_drawing_and_counts_what_comes() -> None:
    feeds = Standing()
    view = panel("trades", feeds)
    feeds.take(view, [trade(1)])
    before = shown(view).split("\n")
    view.pause()
    feeds.take(view, [trade(2), trade(3)])
    held = shown(view).split("\n")
    assert held[:-3] == before[:-3]
    assert held[-1].startswith("PAUSED, 2 trades since")
    view.pause()
    assert "PAUSED" not in shown(view)
    assert shown(view).split("\n")[:-3] != before[:-3]


def test_a_blind_feed_is_told_loudly_from_the_moment_it_is() -> None:
    feeds = Standing(sources=BOTH)
    view = panel("liquidations", feeds)
    assert "BLIND" not in shown(view)
    feeds.take(view, [status(State.LOST, text="closed with 1006")])
    feeds.later(75)
    lines = shown(view).split("\n")
    foot = lines[next(place for place, line in enumerate(lines) if line.startswith("─")) + 1 :]
    assert foot[0].startswith("binance linear BLIND since 12:00:00: closed with 1006")
    assert foot[1].startswith("bybit linear")
    assert "\x1b[1;31mbinance linear BLIND" in shown(view, color=True)
    feeds.take(view, [status(State.LIVE)])
    assert "BLIND" not in shown(view)
    assert "1 reconnect " in shown(view)
    feeds.clock = NOW + 90 * SECOND
    feeds.take(view, [status(State.LOST, at=feeds.clock)])
    assert "binance linear BLIND since 12:01:30" in shown(view)


def test_a_feed_that_was_never_there_is_connecting_and_one_of_several_is_told() -> None:
    feeds = Standing()
    vitals = feeds.vitals["binance", LINEAR]
    vitals.connections, vitals.wanted, vitals.last = 0, 3, None
    view = panel("trades", feeds)
    assert "binance linear connecting (0 of 3 connections)" in shown(view)
    assert "nothing yet" in shown(view)
    vitals.connections = 3
    shown(view)
    vitals.connections = 2
    assert "BLIND since 12:00:00 (2 of 3 connections)" in shown(view)
    view.apply(status(State.REFUSED, text="no such topic"))
    assert "REFUSED (2 of 3 connections): no such topic" in shown(view)
    view.apply(status(State.LOST, text="gone"))  # it was one topic of several
    assert "BLIND since 12:00:00 (2 of 3 connections)" in shown(view)


def test_the_footer_says_how_every_feed_is() -> None:
    feeds = Standing()
    view = panel("trades", feeds)
    vitals = feeds.vitals["binance", LINEAR]
    vitals.messages, vitals.reconnects, vitals.gaps, vitals.dropped = 0, 2, 1, 1_234
    shown(view)
    feeds.later(10)
    vitals.messages = 500
    vitals.garbage, vitals.repaired = 3, 4
    said = shown(view, 160, 24)
    assert "10 s ago · 50.0 msg/s · 2 reconnects · 1 gap · 1,234 dropped · 4 repaired · 3 unreadable" in said
    feeds.later(10)
    assert "20 s ago · 0.0 msg/s" in shown(view)


def test_what_failed_and_what_was_missed_last_stand_below() -> None:
    feeds = Standing(failures=[ABSENT])
    view = panel("liquidations", feeds)
    feeds.take(view, [blind(repaired=True), blind()])
    feeds.take(view, [blind(repaired=True, seconds=9)])
    foot = shown(view).split("\n")[-4:-1]
    assert foot[1].startswith("hyperliquid linear does not stream liquidations")
    assert foot[2] == "last gap: 11:59:56 to 12:00:00 disconnected, not filled: binance linear BTC-USDT"[:80]


def test_many_feeds_leave_room_for_the_view() -> None:
    names = [f"exchange{number}" for number in range(30)]
    feeds = Standing(sources=[Source(name, name) for name in names])
    view = panel("ticker", feeds)
    feeds.take(view, [])
    lines = shown(view).split("\n")
    assert "and 25 lines more" in lines[-2]
    assert len(lines) == 24


def test_a_board_is_sorted_by_the_next_column_on_demand() -> None:
    feeds = Standing()
    view = panel("ticker", feeds)
    feeds.take(view, [ticker(number) for number in range(6)])

    def order() -> list[str]:
        lines = shown(view).split("\n")[2:]
        return [line.split("-")[0] for line in lines if "-USDT-PERP" in line]

    assert order() == ["BTC", "ETH", "SOL", "XRP", "DOGE", "ADA"]
    seen = []
    for _ in range(5):
        view.sort()
        seen.append((shown(view).split("sort: ")[1].strip(), order()))
    assert seen[0] == ("24 h", ["XRP", "ETH", "DOGE", "SOL", "ADA", "BTC"])
    assert seen[1] == ("largest move", ["BTC", "XRP", "ADA", "ETH", "SOL", "DOGE"])
    assert seen[3] == ("symbol", ["ADA", "BTC", "DOGE", "ETH", "SOL", "XRP"])
    assert seen[4] == ("volume", ["BTC", "ETH", "SOL", "XRP", "DOGE", "ADA"])


def test_rows_without_a_value_come_last_and_hidden_ones_are_counted() -> None:
    import msgspec  # noqa: PLC0415

    feeds = Standing()
    view = panel("ticker", feeds)
    many = [ticker(number, name=f"C{number:03}-USDT-PERP") for number in range(50)]
    feeds.take(view, [msgspec.structs.replace(one, volume_usd=None) for one in many[:5]] + many[5:])
    lines = shown(view).split("\n")
    assert lines[2].startswith("C010-USDT-PERP")
    assert [line for line in lines if line.startswith("and ")] == ["and 32 instruments more"]
    assert sum("-USDT-PERP" in line for line in lines) == 18
    tall = shown(view, 80, 60).split("\n")
    assert [line.split("-")[0] for line in tall if "-USDT-PERP" in line][-5:] == [f"C{n:03}" for n in range(5)]


def test_what_has_no_value_comes_last_where_the_smallest_come_first_too() -> None:
    import msgspec  # noqa: PLC0415

    feeds = Standing()
    view = panel("funding", feeds)
    feeds.take(view, [msgspec.structs.replace(funding(0), next_time=None), funding(1), funding(2)])
    view.sort()
    view.sort()
    assert "s sort: next" in shown(view)
    assert [line.split("-")[0] for line in shown(view).split("\n") if "-USDT-PERP" in line] == ["ETH", "SOL", "BTC"]


def test_what_is_too_long_is_cut_between_characters() -> None:
    line = [("币安人生", "up"), ("tail", "")]
    assert cut(line, 12) == line
    assert cut(line, 10) == [("币安人生", "up"), ("ta", "")]
    assert cut(line, 7) == [("币安人", "up")]
    assert cut(line, 1) == [("", "up")]


def test_a_row_is_replaced_by_the_newest_and_old_ones_show_their_age() -> None:
    feeds = Standing()
    view = panel("ticker", feeds)
    feeds.take(view, [ticker(0), ticker(10)])
    assert sum("BTC-USDT-PERP" in line for line in shown(view).split("\n")) == 1
    feeds.later(75)
    assert re.search(r"BTC-USDT-PERP .* 75 s", shown(view, 160, 24))


def test_funding_counts_down_by_the_exchanges_clock() -> None:
    feeds = Standing()
    view = panel("funding", feeds)
    feeds.take(view, [funding(0)])  # the next settlement is an hour away
    assert re.search(r"-0\.0200% +8 h +-21\.9% +1:00:00 +13:00", shown(view))
    feeds.later(3_590)
    assert " 00:10 " in shown(view)
    feeds.later(20)
    assert " due " in shown(view)


def test_open_interest_is_compared_with_the_first_seen() -> None:
    feeds = Standing()
    view = panel("oi", feeds)
    feeds.take(view, [interest(0), interest(1)])
    feeds.take(view, [interest(0, grown=1.01), interest(1, grown=0.98)])
    lines = shown(view).split("\n")
    assert "since 12:00:00" in lines[1]
    assert "+1.000%" in next(line for line in lines if line.startswith("BTC"))
    assert "-2.000%" in next(line for line in lines if line.startswith("ETH"))
    view.sort()
    assert shown(view).split("\n")[2].startswith("BTC")


def test_an_open_candle_grows_and_counts_down() -> None:
    feeds = Standing()
    view = panel("ohlc", feeds)
    feeds.take(view, [candle(0, at=NOW - MINUTE), candle(1, closed=False), candle(2, closed=False)])
    feeds.later(18)
    lines = shown(view).split("\n")
    assert "closes in 00:42" in lines[2]
    rows = [line.split()[:2] for line in lines if line.lstrip(DRAWN.running).startswith(("11-21", " 11-21"))]
    assert rows == [[f"{DRAWN.running}11-21", "12:00"], ["11-21", "11:59"]]
    feeds.take(view, [candle(3)])
    assert "closed" in shown(view)


def test_a_candle_that_was_filled_later_takes_its_place() -> None:
    feeds = Standing()
    view: Any = panel("ohlc", feeds)
    feeds.take(view, [candle(number, at=NOW + place * MINUTE) for number, place in enumerate((0, 3, 1, 2, 1))])
    (kept,) = view.known.values()
    assert [(one.time - NOW) // MINUTE for one in kept] == [0, 1, 2, 3]
    assert kept[1] == candle(4, at=NOW + MINUTE)


def test_candles_of_many_instruments_are_a_line_each() -> None:
    feeds = Standing()
    view = panel("ohlc", feeds)
    feeds.take(view, [candle(number, name=f"{coin}-USDT-PERP") for number, coin in enumerate(COINS)])
    lines = [line for line in shown(view).split("\n") if "-USDT-PERP" in line]
    assert len(lines) == len(COINS)


def test_the_headline_names_instruments_as_long_as_they_are_few() -> None:
    few = Source(instruments=tuple(instrument(f"{coin}-USDT-PERP") for coin in COINS[:3]))
    many = Source(instruments=tuple(instrument(f"{coin}-USDT-PERP") for coin in COINS[:4]), completeness="full")
    assert "binance linear: BTC-USDT-PERP, ETH-USDT-PERP, SOL-USDT-PERP\n" in shown(
        panel("trades", Standing(sources=[few])), 120
    )
    assert "binance linear: 4 instruments (full)" in shown(panel("trades", Standing(sources=[many])), 120)


def test_without_keys_it_says_how_it_ends() -> None:
    assert shown(panel("trades", Standing(), keys=False)).endswith("Ctrl-C ends it")

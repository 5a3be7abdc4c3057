from __future__ import annotations

import gzip
import json
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from sandbox.small_world import NOW, ask, at, draft, floor, klines, minutes, ms, times

from marketcli.errors import UsageError
from marketcli.models import SECOND, Market, Window
from marketcli.sandbox.faults import FAULTS, parse

if TYPE_CHECKING:
    from marketcli.sandbox.draft import Draft
    from marketcli.sandbox.floor import Floor

LINEAR = Market.LINEAR
START, END = ms("2026-11-01T00:00"), ms("2026-11-01T00:09")


def page(fault: str = "", on: Floor | None = None, **more: Any) -> Draft:
    """Ten candles, with a fault."""
    asked = {"symbol": "BTCUSDT", "interval": "1m", "startTime": START, "endTime": END} | more
    return draft(on or floor(faults=(fault,) if fault else ()), LINEAR, "klines", **asked)


def rows(fault: str = "", **more: Any) -> list[Any]:
    found: list[Any] = page(fault, **more).document()
    return found


WHOLE = rows()


def test_without_a_fault_the_page_is_whole() -> None:
    assert times(WHOLE) == minutes("2026-11-01T00:00", 10)


@pytest.mark.parametrize(
    ("style", "said"),
    [
        ("seconds", "90"),
        ("date", "Sat, 21 Nov 2026 12:02:00 GMT"),
        ("missing", None),
        ("nonsense", "soon"),
        ("years", str(3 * 365 * 86_400)),
    ],
)
def test_http429_says_when_to_come_back_in_five_ways(style: str, said: str | None) -> None:
    refused = page(f"http429_retry_after:style={style},seconds=90")
    assert (refused.status, refused.document()["code"]) == (429, -1003)
    assert refused.headers.get("Retry-After") == said


def test_http418_names_the_end_of_the_ban() -> None:
    refused = page("http418_ban:seconds=60")
    assert (refused.status, refused.headers["Retry-After"]) == (418, "60")
    assert str((NOW + 60 * SECOND) // 1_000) in refused.document()["msg"]


def test_http503_is_a_burst_of_three_unless_told_otherwise() -> None:
    on = floor(faults=("http503_burst",))
    assert [page(on=on).status for _ in range(5)] == [503, 503, 503, 200, 200]
    on = floor(faults=("http503_burst:first=1",))
    assert [page(on=on).status for _ in range(2)] == [503, 200]


def test_refusals_of_a_place_and_of_a_content_network() -> None:
    assert (page("http451").status, page("http451").document()["code"]) == (451, 0)
    assert (page("http403_waf").status, page("http403_waf").headers["Content-Type"]) == (
        403,
        "text/html; charset=UTF-8",
    )


def test_success_that_is_none() -> None:
    maintenance = page("html_200")
    assert maintenance.status == 200
    assert maintenance.body.startswith(b"<!DOCTYPE html>")
    assert (page("empty_200").status, page("empty_200").body) == (200, b"[]")


@pytest.mark.parametrize(
    ("to", "place"),
    [
        ("other", "https://other.example/fapi/v1/klines"),
        ("self", "/fapi.binance.com/fapi/v1/klines"),
        ("http", "http://fapi.binance.com/fapi/v1/klines"),
    ],
)
def test_redirects_lead_elsewhere(to: str, place: str) -> None:
    assert (page(f"redirect:to={to}").status, page(f"redirect:to={to}").headers["Location"]) == (302, place)


def test_documents_that_end_early_or_go_on() -> None:
    whole = page().body
    cut = page("truncated_json").body
    assert 0 < len(cut) < len(whole)
    assert whole.startswith(cut)
    more = page("trailing_json").body
    assert more.startswith(whole)
    with pytest.raises(json.JSONDecodeError, match="Extra data"):
        json.loads(more)


def test_a_cut_gzip_stream_never_reaches_its_end() -> None:
    cut = page("gzip_truncated")
    assert cut.headers["Content-Encoding"] == "gzip"
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    assert page().body.startswith(unpacker.decompress(cut.body))
    assert not unpacker.eof


def test_a_bomb_is_small_and_grows_beyond_a_gigabyte() -> None:
    bomb = page("gzip_bomb")
    assert len(bomb.body) < 2 * 2**20
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    size, rest = 0, bomb.body
    while rest:
        size += len(unpacker.decompress(rest, 2**24))
        rest = unpacker.unconsumed_tail
    assert unpacker.eof
    assert size > 2**30
    nested = page("gzip_bomb:nested=1")
    assert (len(nested.body) < 16_384, nested.headers["Content-Encoding"]) == (True, "gzip, gzip")
    assert gzip.decompress(nested.body) == bomb.body


def test_double_encoding_is_the_right_body_twice_compressed() -> None:
    twice = page("double_encoding")
    assert twice.headers["Content-Encoding"] == "gzip, gzip"
    assert gzip.decompress(gzip.decompress(twice.body)) == page().body


def test_rows_from_outside_the_window_surround_the_right_ones() -> None:
    found = rows("rows_out_of_window")
    inside = [row for row in found if START <= row[0] <= END]
    assert inside == WHOLE
    assert sum(row[0] < START for row in found) == sum(row[0] > END for row in found) == 3


def test_rows_outside_stay_outside_where_a_window_begins_and_ends_with_a_hole() -> None:
    for hole in (Window(at("2026-11-01"), at("2026-11-01T00:05")), Window(at("2026-11-01T00:05"), at("2026-11-02"))):
        found = page(on=floor(faults=("rows_out_of_window",), hole=hole)).document()
        assert [row[0] for row in found if START <= row[0] <= END] == times(page(on=floor(hole=hole)).document())
        assert len(found) == 5 + 6


def test_rows_twice_and_in_disorder() -> None:
    assert sorted(times(rows("duplicate_rows"))) == sorted([*times(WHOLE), *times(WHOLE), START])
    mixed = rows("unordered_rows")
    assert times(mixed) != sorted(times(mixed))
    assert sorted(mixed) == WHOLE


def test_missing_rows_are_missing_for_every_way_to_ask() -> None:
    hole = "missing_rows:from=2026-11-01T00:03,to=2026-11-01T00:06"
    assert times(rows(hole)) == [*minutes("2026-11-01T00:00", 3), *minutes("2026-11-01T00:06", 4)]
    assert times(rows(hole, startTime=START + 180_000, limit=1)) == [START + 360_000]
    assert times(rows(hole, startTime=START + 180_000, endTime=START + 300_000)) == []
    sevenths = rows("missing_rows", endTime=START + 69 * 60_000)
    assert len(sevenths) == 60


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e400", "null", "1_000", "text"])
def test_a_price_that_is_no_number(value: str) -> None:
    closes = [row[4] for row in rows(f"nan_rows:value={value}")]
    assert closes[5] == (None if value == "null" else value)
    assert closes[:5] == [row[4] for row in WHOLE[:5]]


@pytest.mark.parametrize(("unit", "time"), [("s", START // 1_000), ("us", START * 1_000), ("ns", START * 1_000_000)])
def test_times_in_another_unit(unit: str, time: int) -> None:
    assert rows(f"wrong_time_unit:unit={unit}")[0][0] == time


def test_counts_too_large_for_a_float() -> None:
    assert {row[8] for row in rows("big_id")} == {2**53 + 1}
    assert {row[8] for row in rows(f"big_id:value={2**63}")} == {2**63}


def test_unknown_and_missing_and_mistyped_fields() -> None:
    assert [row[:12] for row in rows("unknown_fields")] == WHOLE
    assert {len(row) for row in rows("unknown_fields")} == {14}
    assert [len(row) for row in rows("missing_field")] == [12] * 5 + [4] + [12] * 4
    assert rows("wrong_type")[5][1] == {"price": WHOLE[5][1]}

    def symbols(fault: str) -> Any:
        return ask(floor(faults=(fault,)), LINEAR, "exchangeInfo")["symbols"]

    assert all("brandNew" in item for item in symbols("unknown_fields"))
    assert "symbol" not in symbols("missing_field")[0]
    assert "quoteAsset" not in symbols("missing_field:field=quoteAsset")[0]
    assert symbols("wrong_type")[0]["symbol"] == {"value": "BTCUSDT_270625"}


def test_a_stalled_page_comes_again_whatever_is_asked() -> None:
    on = floor(faults=("stalled_page",))
    assert page(on=on).document() == WHOLE
    assert page(on=on, startTime=END + 60_000, endTime=END + 600_000).document() == WHOLE
    assert times(page(on=on, interval="1h", endTime=END * 2).document())[0] == START


def test_a_wrong_clock_is_wrong_in_header_and_words_and_nowhere_else() -> None:
    on = floor(faults=("clock_skew:seconds=-600",))
    late = draft(on, LINEAR, "time")
    assert late.document()["serverTime"] == NOW // 1_000 - 600_000
    assert late.headers["Date"] == "Sat, 21 Nov 2026 11:50:30 GMT"
    assert klines(on, LINEAR, startTime=START, endTime=END) == WHOLE


def test_hostile_names_stand_in_every_column_of_the_list() -> None:
    found = ask(floor(faults=("hostile_names",)), LINEAR, "exchangeInfo")["symbols"]
    for key in ("symbol", "baseAsset", "quoteAsset", "status"):
        values = {item[key] for item in found}
        assert "[/]" in values
        assert "../../etc/x" in values
        assert any("\x1b" in value for value in values)
        assert any("\u202e" in value for value in values)
        assert any(len(value) > 1_000 for value in values)
    assert len({item["symbol"] for item in found if item["symbol"].startswith("HOSTILE")}) == 30


def test_a_fault_strikes_by_its_own_count_only() -> None:
    on = floor(faults=("html_200:every=3",))
    assert [page(on=on).body[:1] == b"<" for _ in range(7)] == [False, False, True, False, False, True, False]
    on = floor(faults=("html_200:every=2,first=4",))
    assert [page(on=on).body[:1] == b"<" for _ in range(8)] == [False, True, False, True] + [False] * 4
    on = floor(faults=("html_200:path=exchangeInfo,first=1",))
    assert page(on=on).document() == WHOLE
    assert draft(on, LINEAR, "exchangeInfo").document() is None
    on = floor(faults=("html_200:host=dapi",))
    assert page(on=on).document() == WHOLE


def test_a_fault_in_rows_does_not_count_answers_without_rows() -> None:
    on = floor(faults=("nan_rows:first=1",))
    draft(on, Market.SPOT, "exchangeInfo")
    assert page(on=on).document()[5][4] == "NaN"
    assert page(on=on).document() == WHOLE


def test_several_faults_strike_together_in_a_sound_order() -> None:
    on = floor(faults=("double_encoding", "trailing_json", "nan_rows"))
    text = gzip.decompress(gzip.decompress(page(on=on).body))
    assert b'"NaN"' in text
    assert text.endswith(b'{"and":"more"}')


def test_a_delay_is_added_to_every_answer() -> None:
    assert page("delay:ms=30").delay == 0.03


def test_faults_can_be_replaced_but_not_by_nonsense() -> None:
    on = floor(faults=("html_200",))
    with pytest.raises(UsageError):
        on.set_faults(["http451", "nonsense"])
    assert page(on=on).body[:1] == b"<"
    on.set_faults([])
    assert page(on=on).document() == WHOLE


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("http404", "There is no fault 'http404'.", "http503_burst"),
        ("nan_rows:size=1", "The fault nan_rows has no key 'size'.", "every, first, path, host, exchange, value"),
        ("nan_rows:value=7", "The fault nan_rows cannot take value=7.", "NaN|Infinity|1e400|null|1_000|text"),
        ("nan_rows:every=0", "The fault nan_rows cannot take every=0.", "every=1"),
        ("missing_rows:from=soon", "The fault missing_rows cannot take from=soon.", "from=DATE"),
        ("\x1b[2J", "There is no fault '\\\\x1b[2J'.", "html_200"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_can(text: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert caught.value.message == message
    assert hint in caught.value.hint


def test_the_table_explains_every_fault_with_its_keys() -> None:
    assert "style=seconds|date|missing|nonsense|years" in FAULTS["http429_retry_after"]
    assert all("every=1" in sentence for sentence in FAULTS.values())
    assert all(parse(name) for name in FAULTS)
    assert len(FAULTS) == 33

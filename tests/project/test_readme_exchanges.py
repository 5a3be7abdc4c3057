"""README's section about exchanges says what the tables say."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from readme_exchanges import BEGIN, END, README, budgets, depths, lacks, page, renewed, section

from marketcli.datasets import OHLC, RATIO_TAKER
from marketcli.exchanges import load
from marketcli.models import Market
from marketcli.spec import Budget

WRITER = Path(__file__).parents[1] / "readme_exchanges.py"


def test_the_section_is_current() -> None:
    text = README.read_text("utf-8")
    assert text.count(BEGIN) == text.count(END) == 1
    assert text == renewed(text), f"run {sys.executable} {WRITER}"


def test_only_what_stands_between_the_markers_is_written(tmp_path: Path) -> None:
    assert renewed(f"before\n{BEGIN}\nold\n{END}\nafter\n") == f"before\n{BEGIN}\n\n{section()}\n\n{END}\nafter\n"
    copy = tmp_path / "tests" / "readme_exchanges.py"
    copy.parent.mkdir()
    copy.write_text(WRITER.read_text("utf-8"), "utf-8")
    (tmp_path / "README.md").write_text(f"{BEGIN}\n{END}\n")
    subprocess.run([sys.executable, copy], check=True, timeout=60)
    assert section() in (tmp_path / "README.md").read_text("utf-8")


def test_every_exchange_has_a_page_with_commands_and_facts() -> None:
    for name in ("binance", "bybit", "hyperliquid", "okx"):
        text = page(load(name))
        assert text in section()
        assert "```sh\nmkt ohlc " in text
        assert all(f"- {sentence}" in text for sentence in load(name).unknowns)


def test_depths_follow_the_endpoints() -> None:
    table = load("binance")
    assert "trades_history (linear): 48 hours" in depths(table)
    assert "ohlc: all there is" in depths(table)
    short = [replace(one, lookback=timedelta(days=7)) if one.dataset is OHLC else one for one in table.endpoints]
    assert "ohlc: 7 days" in depths(replace(table, endpoints=tuple(short)))
    assert "ohlc: the newest 5,000 of each interval" in depths(load("hyperliquid"))
    assert "ohlc: all there is" in depths(load("okx"))  # by the endpoint that has the older ones


def test_limits_and_what_is_lacking_follow_the_table() -> None:
    table = replace(load("binance"), budgets=(Budget("weight", 100, 1.5), *(Budget(f"b{n}", 5, 2) for n in range(9))))
    assert budgets(table).endswith("100 in 1.5 s (weight); 5 in 2 s (each of 9 kinds of request).")
    poor = replace(table, absent={(RATIO_TAKER, Market.SPOT): "nobody counts", (OHLC, Market.LINEAR): "nobody counts"})
    assert lacks(poor, poor.absent, "No") == [
        "No ratio_taker (spot): nobody counts.",
        "No ohlc (linear): nobody counts.",
    ]

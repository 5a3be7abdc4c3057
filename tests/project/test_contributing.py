"""The exchange in CONTRIBUTING works as it stands there: installed from the page, it gives the world's own candles."""

from __future__ import annotations

import re
import time
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cli_runner import Run, mkt, mkt_anew

from marketcli.exchanges import GROUP
from marketcli.models import Interval, Market, Window, iso
from marketcli.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    Mkt = Callable[..., Run]

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / ".github" / "CONTRIBUTING.md").read_text("utf-8")
MODULES = re.findall(r"^```python\n# (\S+)\n(.+?)^```", PAGE, re.MULTILINE | re.DOTALL)
(ENTRY,) = re.findall(r"^```toml\n(.+?)^```", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = [
    line
    for block in re.findall(r"^```sh\n(.+?)^```", PAGE, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
    if line.startswith("mkt ")
]
FIELDS = ("open", "high", "low", "close", "volume_base", "volume_quote")


@pytest.fixture
def example(tmp_path: Path) -> Mkt:
    """`mkt` where the page's package is installed."""
    for name, text in MODULES:
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, "utf-8")
    entries = tomllib.loads(ENTRY)["project"]["entry-points"][GROUP]
    installed = tmp_path / "mkt_example-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: mkt-example\nVersion: 1.0\n")
    lines = [f"[{GROUP}]", *(f"{name} = {module}" for name, module in entries.items())]
    (installed / "entry_points.txt").write_text("\n".join(lines) + "\n")
    return lambda *words: mkt_anew(*words, environment={"PYTHONPATH": str(tmp_path)})


def test_the_page_has_the_three_files() -> None:
    assert [name for name, _ in MODULES] == ["mkt_example/__init__.py", "mkt_example/rest.py", "mkt_example/sandbox.py"]


def test_it_is_unknown_until_it_is_installed() -> None:
    assert mkt("--sandbox", "ohlc", "BTC_USDT", "1h", "-e", "example").returncode == 2


def test_it_gives_the_candles_of_the_world(example: Mkt) -> None:
    done = example("--sandbox", "ohlc", "BTC_USDT", "1h", "--since", "2026-08", "--until", "2026-10", "-e", "example")
    assert (done.returncode, "bug" in done.stderr) == (0, False), done.stderr
    world = World(clock=lambda: time.time_ns() // 1_000)
    listing = next(one for one in world.listings(Market.SPOT) if (one.base, one.quote) == ("BTC", "USDT"))
    hours = world.candles(listing, Interval(1, "h"), Window(1_785_542_400_000_000, 1_790_812_800_000_000))
    rows = done.rows()
    assert len(rows) == len(hours) == 61 * 24  # three pages
    assert [(row["time"], *(row[name] for name in FIELDS)) for row in rows] == [
        (iso(bar.time), *(getattr(bar, name) for name in FIELDS)) for bar in hours
    ]
    assert {(row["exchange"], row["symbol"], row["native"]) for row in rows} == {("example", "BTC-USDT", "BTC_USDT")}


@pytest.mark.parametrize("line", COMMANDS)
def test_its_commands_work(example: Mkt, line: str) -> None:
    done = example(*line.split()[1:])
    assert done.returncode == 0, done.stderr
    assert all(row["exchange"] in {"example", None} for row in done.rows())
    assert done.rows()


def test_a_pair_it_does_not_have_is_one_sentence(example: Mkt) -> None:
    done = example("--sandbox", "ohlc", "NOSUCH_USDT", "1h", "-e", "example")
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "Example has no instrument 'NOSUCH_USDT'" in done.stderr


def test_it_has_examples_and_stands_beside_the_others(example: Mkt) -> None:
    commands = [row["command"] for row in example("examples", "example").rows()]
    assert commands == [
        "mkt ohlc BTC_USDT 1h -e example",
        "mkt ohlc BTC_USDT 1d --last 30 -e example",
        "mkt instruments --search pepe -e example",
    ]
    assert {"binance", "example"} <= {row["exchange"] for row in example("exchanges").rows()}


def test_paths_named_on_the_page_exist() -> None:
    named = set(re.findall(r"`((?:[a-z_.]+/)+[a-z_]*(?:\.py)?|[a-z_]+\.py)`", PAGE))
    for name in named - {"rest.py"}:
        places = (ROOT / name, ROOT / "marketcli" / name)
        assert any(place.exists() for place in places), name
    assert len(named) > 8

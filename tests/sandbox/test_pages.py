"""The oldest and the newest rows of a window, however they lie in it."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from marketcli.models import Window
from marketcli.simulator import STRIDE, newest, oldest


@given(
    times=st.lists(st.integers(0, 400_000), unique=True, max_size=50),
    window=st.tuples(st.integers(0, 400_000), st.integers(0, 400_000)),
    length=st.integers(1, 20),
    limit=st.integers(1, 10),
)
@example(times=[0, 20, 20 + STRIDE * 10], window=(0, 400_000), length=10, limit=2)
@example(times=[0, 20, 20 + STRIDE * 10], window=(0, 400_000), length=10, limit=3)
@example(times=[380_000, 399_979, 399_980], window=(0, 400_000), length=10, limit=2)
def test_a_page_holds_the_rows_at_one_end_of_the_window(
    times: list[int], window: tuple[int, int], length: int, limit: int
) -> None:
    asked = Window(*window)

    def rows(part: Window) -> list[int]:
        assert asked.start <= part.start < part.end <= asked.end
        return sorted(time for time in times if time in part)

    inside = sorted(time for time in times if time in asked)
    assert oldest(rows, asked, length=length, limit=limit) == inside[:limit]
    assert newest(rows, asked, length=length, limit=limit) == inside[-limit:]

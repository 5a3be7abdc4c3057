from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from output.samples import screen

from marketcli.output.layout import Column, draw, fit, flow, line_width, total, unfold
from marketcli.output.theme import ASCII


def column(header: str, rank: int, *, width: int = 10) -> Column:
    return Column(header, ["x" * width], rank=rank)


def drawn(columns: list[Column], width: int = 200) -> list[str]:
    target, behind = screen(width)
    draw(target, columns, ASCII)
    return behind.getvalue().decode().splitlines()


def test_the_most_important_columns_come_first_and_equals_together() -> None:
    columns = [column("a", 0), column("b", 2), column("c", 1), column("d", 2), column("e", 3)]
    names = {width: "".join(kept.header for kept in fit(columns, width)) for width in (58, 57, 46, 22, 21, 1)}
    assert names == {58: "abcde", 57: "abcd", 46: "abcd", 22: "ac", 21: "a", 1: "a"}


def test_room_that_a_wide_column_leaves_goes_to_a_narrow_one() -> None:
    columns = [column("a", 0), column("b", 1, width=40), column("c", 2, width=5)]
    assert [kept.header for kept in fit(columns, 20)] == ["a", "c"]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 30)), min_size=1), st.integers(0, 120))
def test_what_is_kept_fits_unless_it_is_the_indispensable(ranks: list[tuple[int, int]], width: int) -> None:
    kept = fit([column("", rank, width=wide) for rank, wide in [(0, 8), *ranks]], width)
    assert total(kept) <= width or all(one.rank == 0 for one in kept)


def test_columns_are_aligned_and_lines_have_no_blanks_at_the_end() -> None:
    columns = [Column("name", ["a", "bbb"], right=False), Column("n", ["1", "22"]), Column("t", ["x", ""], right=False)]
    assert drawn(columns) == ["name   n  t", "-----------", "a      1  x", "bbb   22"]


def test_chinese_characters_take_two_columns() -> None:
    columns = [Column("name", ["币安", "abcd"], right=False), Column("n", ["1", "2"])]
    assert drawn(columns)[2:] == ["币安  1", "abcd  2"]


def test_lines_longer_than_the_terminal_are_neither_cut_nor_wrapped() -> None:
    assert drawn([column("a", 0, width=300)], width=40)[2] == "x" * 300


def test_more_rows_than_a_batch_are_all_drawn_in_order() -> None:
    lines = drawn([Column("n", [str(number) for number in range(9_500)])])
    assert [int(line) for line in lines[2:-2]] == list(range(9_500))


def test_sentences_wrap_at_words_beside_their_row() -> None:
    columns = [
        Column("name", ["a", "b"], right=False),
        Column("", ["one two three four", "x-y"], right=False, prose=True),
    ]
    assert drawn(unfold(columns, 30)) == [
        "name",
        "------------------------",
        "a     one two three four",
        "b     x-y",
    ]
    long = [columns[0], Column("m", ["BTC-USD-270326 " * 3, "x"], right=False, prose=True)]
    assert drawn(unfold(long, 30))[2:] == [
        "a     BTC-USD-270326",
        "      BTC-USD-270326",
        "      BTC-USD-270326",
        "b     x",
    ]


@given(st.lists(st.text("ab ", min_size=1, max_size=12)), st.integers(0, 40))
def test_parts_flow_into_lines_and_none_is_lost(parts: list[str], width: int) -> None:
    lines = flow([(part, "") for part in parts], width, " · ")
    assert [text for line in lines for text, _ in line] == parts
    assert all(line_width(line, " · ") <= width or len(line) == 1 for line in lines)


def test_after_many_rows_the_names_stand_below_too() -> None:
    short, long = (drawn([Column("n", ["1"] * count)]) for count in (30, 31))
    assert short[-1] == "1"
    assert long[:2] == ["n", "-"]
    assert long[-2:] == ["-", "n"]
    sentences = [Column("n", ["1"] * 40), Column("m", ["x"] * 40, right=False, prose=True)]
    assert drawn(sentences)[-1] == "1  x"

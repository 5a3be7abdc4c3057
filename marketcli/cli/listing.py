"""Commands that print one list: settings first, then rows drawn for people or written for programs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from marketcli.cli.notice import tell
from marketcli.cli.options import settle
from marketcli.cli.show import Destination, check_fields, matching, names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import polars as pl

    from marketcli.cli.options import Everywhere, Manner, Output
    from marketcli.config import Config
    from marketcli.output.view import View


@dataclass(frozen=True, slots=True)
class Listing:
    """A list on its way: what a command works with once its options are settled."""

    config: Config
    manner: Manner
    destination: Destination
    kinds: Mapping[str, str]

    @classmethod
    def of(
        cls, before: Everywhere | None, everywhere: Everywhere, output: Output, *, kinds: Mapping[str, str]
    ) -> Listing:
        """Settle settings and destination before anything is read or asked; `kinds` are those of the rows to come."""
        config, manner, warnings = settle(before, everywhere, time=output.time)
        check_fields(names(output.fields), list(kinds))
        tell(config, warnings=warnings)
        known = {"market": str(config.market)} if config.market else {}
        return cls(config, manner, Destination.of(output, config, kinds=kinds, known=known), kinds)

    @property
    def chosen(self) -> bool:
        """Whether the user chose the columns, so that no digest of them is the answer."""
        return bool(self.destination.output.fields or self.destination.output.wide)

    def finish(self, name: str, frame: pl.DataFrame, *, view: Callable[[pl.DataFrame], View]) -> int:
        """Write the rows, or draw what `view` makes of those that pass the filter; the exit code.

        Where the user has `chosen` columns, the view shows all of them, from which --fields selects.
        """
        if not self.destination.drawn:
            notes = self.destination.write(frame, self.kinds, metadata={"marketcli.dataset": name})
            tell(self.config, notes=[] if self.manner.quiet else notes)
            return 0
        kept = self.destination.kept(frame)
        shown = view(kept)
        said = [matching(kept.height, frame.height)] if self.destination.where else []
        selected = self.destination.selected(shown.frame) if self.chosen else shown.frame
        self.destination.draw([replace(shown, frame=selected, caption=[*shown.caption, *said])], candles=False)
        return 0


def framed(rows: Iterable[tuple[object, ...]], kinds: Mapping[str, str]) -> pl.DataFrame:
    """Rows as a frame whose columns are of these kinds; times are microseconds."""
    import polars as pl

    types = {
        "integer": pl.Int64(), "number": pl.Float64(), "boolean": pl.Boolean(), "time": pl.Datetime("us", "UTC"),
    }  # fmt: skip
    schema = {name: types.get(kind, pl.String()) for name, kind in kinds.items()}
    return pl.DataFrame(list(rows), schema=schema, orient="row")

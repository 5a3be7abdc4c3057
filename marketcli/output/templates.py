"""File names with fields in braces: rows go to the file their own values name.

Only the fields listed here exist, and their values become one harmless part of a path each; nothing in a template is
evaluated.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING

from marketcli.disk import refuse_overwrite
from marketcli.errors import LocalError, UsageError
from marketcli.text import clean, path_part

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    import polars as pl

FIELDS = ("exchange", "market", "symbol", "native", "interval", "price")  # columns; and date, from the row's time
DATE = "%Y-%m-%d"
SPEC = re.compile(r"(?:%[YmdHMSjyGV%]|[A-Za-z0-9_. :+-])+")
MOST_FILES = 10_000
UNDATED = "undated"  # the date of a row without a time
PATH = "path of the file"  # a column no dataset has


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the template as it stands, and the field behind it, if any."""

    literal: str
    field: str = ""
    spec: str = ""


@dataclass(frozen=True, slots=True)
class Template:
    """A file name for every row."""

    text: str
    pieces: tuple[Piece, ...]

    @classmethod
    def parse(cls, text: str, columns: Collection[str]) -> Template:
        """Read a template for rows with these columns. Raises `UsageError` that names the fields."""
        known = [*(name for name in FIELDS if name in columns), *(["date"] if "time" in columns else [])]
        hint = (
            f"The fields are {', '.join(known)}; {{{{ and }}}} stand for braces." if known else "There are no fields."
        )
        try:
            parsed = list(Formatter().parse(text))
        except ValueError as error:
            raise UsageError(f"The template {clean(text)!r} cannot be read: {error}.", hint=hint) from None
        pieces = []
        for literal, field, spec, conversion in parsed:
            if field is not None and (conversion or field not in known):
                shown = clean(field) + (f"!{clean(conversion)}" if conversion else "")
                raise UsageError(f"There is no field {{{shown}}} for these rows.", hint=hint)
            pieces.append(Piece(literal, field or "", checked(field, spec)))
        found = cls(text, tuple(pieces))
        found.stay_inside()
        return found

    @property
    def fields(self) -> frozenset[str]:
        """The fields it names."""
        return frozenset(piece.field for piece in self.pieces if piece.field)

    @property
    def root(self) -> Path:
        """The directory above everything that fields decide."""
        return Path(os.path.split(self.pieces[0].literal if self.pieces else "")[0] or ".")

    def stay_inside(self) -> None:
        """Refuse a template that leads out of its root again, or to no file."""
        shown = self.path(["x"] * sum(bool(piece.field) for piece in self.pieces))
        below = shown[len(self.pieces[0].literal) :] if self.pieces else ""
        if ".." in re.split(r"[/\\]", below):
            raise UsageError(f"The template {clean(self.text)!r} leads back with '..'.", hint="Name the place itself.")
        if not os.path.split(shown)[1]:
            raise UsageError(f"The template {clean(self.text)!r} names no file.", hint="End it with {symbol}.parquet.")

    def path(self, values: Sequence[str]) -> str:
        """The name of a file; `values` belong to the fields in order."""
        parts = iter(values)
        return "".join(piece.literal + (path_part(next(parts)) if piece.field else "") for piece in self.pieces)

    def check(self, known: Mapping[str, str], *, force: bool) -> None:
        """Refuse what is known to be impossible before anything is asked; `known` are fields that stand already."""
        nearest = next(place for place in (self.root, *self.root.absolute().parents) if place.exists())
        if not nearest.is_dir():
            raise LocalError(f"{nearest} is a file, not a directory.", hint="Choose another place with -o.")
        if not os.access(nearest, os.W_OK):
            raise LocalError(f"The directory {nearest} is not writable.", hint="Choose another place with -o.")
        if self.fields <= known.keys():
            self.refuse([Path(self.path([known[piece.field] for piece in self.pieces if piece.field]))], force=force)

    def refuse(self, paths: Sequence[Path], *, force: bool) -> None:
        """Raise before anything is written if one of the files may not be."""
        root, seen = self.root.resolve(), dict[str, Path]()
        for path in paths:
            if (other := seen.setdefault(str(path).casefold(), path)) != path:
                raise UsageError(
                    f"{other} and {path} differ in case only, which many disks cannot keep apart.",
                    hint="Put another field into the template, for example {market}.",
                )
            try:
                if not path.parent.resolve().is_relative_to(root):
                    raise LocalError(f"{path} leads out of {root} by a link.", hint="Name the place itself with -o.")
                if path.parent.is_dir():
                    refuse_overwrite(path, force=force)
            except OSError as error:
                raise LocalError(f"{path} cannot be written: {error.strerror}.", hint="Use a shorter name.") from error

    def paths(self, frame: pl.DataFrame) -> pl.Series:
        """The file of every row."""
        import polars as pl  # noqa: PLC0415

        asked = [piece for piece in self.pieces if piece.field]
        keys = frame.select(value_of(piece).fill_null(UNDATED).alias(str(place)) for place, piece in enumerate(asked))
        if not asked:
            return pl.Series(PATH, [self.path([])] * frame.height, dtype=pl.String)
        each = keys.unique(maintain_order=True)
        if each.height > MOST_FILES:
            raise UsageError(
                f"The template would make {each.height:,} files.", hint=f"Use one that makes at most {MOST_FILES:,}."
            )
        named = each.with_columns(pl.Series(PATH, [self.path(row) for row in each.iter_rows()], dtype=pl.String))
        return keys.join(named, on=keys.columns, how="left", maintain_order="left")[PATH]


def is_template(name: str) -> bool:
    """Whether a file name has braces."""
    return "{" in name or "}" in name


def checked(field: str | None, spec: str | None) -> str:
    """The spec of a field. Raises `UsageError` for one that is no date format."""
    if field == "date":
        if not SPEC.fullmatch(spec or DATE):
            raise UsageError(
                f"{clean(spec or '')!r} is no date format for a file name.",
                hint="Use %Y %m %d %H %M %S %j %G %V, as in {date:%Y-%m}; for directories {date:%Y}/{date:%m}.",
            )
        return spec or DATE
    if spec:
        raise UsageError(f"The field {{{field}}} takes no format.", hint="Only {date} does, as in {date:%Y-%m}.")
    return ""


def value_of(piece: Piece) -> pl.Expr:
    """The text of a field in every row."""
    import polars as pl  # noqa: PLC0415

    return pl.col("time").dt.strftime(piece.spec) if piece.field == "date" else pl.col(piece.field)


def write_all(
    template: Template,
    paths: pl.Series,
    rows: pl.DataFrame,
    *,
    force: bool,
    write: Callable[[Path, pl.DataFrame], list[str]],
) -> list[str]:
    """Write every row to its file, each file whole; gives sentences the user should read."""
    parts = rows.with_columns(paths.alias(PATH)).partition_by(
        PATH, maintain_order=True, as_dict=True, include_key=False
    )
    files = {Path(str(name)): part for (name,), part in parts.items()}
    template.refuse(list(files), force=force)
    notes: list[str] = []
    for done, (path, part) in enumerate(files.items()):
        try:
            make_directory(path.parent)
            notes += write(path, part)
        except LocalError as error:
            raise LocalError(
                f"{error.message.rstrip('.')}; {done:,} of {len(files):,} files were written before.", hint=error.hint
            ) from error
    return [*notes, f"{len(files):,} file{'s' if len(files) != 1 else ''} under {template.root}."]


def make_directory(place: Path) -> None:
    """Create a directory and those above it. Raises `LocalError`."""
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LocalError(
            f"The directory {place} cannot be created: {error.strerror}.", hint="Use another -o."
        ) from error

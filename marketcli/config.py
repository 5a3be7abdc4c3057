"""Settings: flag over `MKT_*` over the user's file over default; and the directories.

The file is `config.toml` in the configuration directory. Every key has an environment variable: `exchange` is
`MKT_EXCHANGE`, lists are separated by commas. Where a key has no default, its example shows what it may be.
"""

from __future__ import annotations

import contextlib
import difflib
import json
import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from marketcli.errors import LocalError, UsageError
from marketcli.models import Market, parse_market
from marketcli.text import clean, harmless, number

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "MKT_"


def comma_separated(value: object) -> object:
    """Lists may be written as one text."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def market_or_none(value: object) -> object:
    """Markets may be written by their aliases."""
    return parse_market(value) if isinstance(value, str) else value


def short_amount(value: object) -> object:
    """Amounts may be written short: 50k, 1.5m."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([kmb])", value.strip().lower()) if isinstance(value, str) else None
    return float(match[1]) * {"k": 1e3, "m": 1e6, "b": 1e9}[match[2]] if match else value


Words = Annotated[list[str], BeforeValidator(comma_separated)]


class Config(BaseModel):
    """What can be set; the description of each is what `mkt` says about it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    exchange: str = Field("binance", description="exchange to ask when -e is not given, several with commas, or all")
    market: Annotated[Market | None, BeforeValidator(market_or_none)] = Field(
        None,
        description="market to look names up in; default: linear, else the only one that has the name",
        examples=["linear"],
    )
    quotes: Words = Field(["USDT", "USDC", "USD"], description="quote assets a bare name such as BTC is looked up with")
    format: str | None = Field(
        None, description="output format when -f is not given and no file name decides", examples=["ndjson"]
    )
    time: Literal["iso", "s", "ms", "us", "ns"] = Field("iso", description="how text formats write times")
    sandbox: bool = Field(default=False, description="use the embedded sandbox instead of the network")
    via: str | None = Field(
        None, description="send every request through this address", examples=["http://127.0.0.1:9000"]
    )
    allow_host: Words = Field(default_factory=list, description="hosts beyond this machine that --via may name")
    proxy: str | None = Field(
        None, description="proxy for exchanges; default: from the environment", examples=["http://127.0.0.1:8080"]
    )
    ca_file: str | None = Field(
        None, description="PEM file of certificates to trust besides the usual ones", examples=["own.pem"]
    )
    testnet: bool = Field(default=False, description="use the exchange's testnet")
    site: str | None = Field(None, description="the exchange's installation to ask, live if not set", examples=["eea"])
    fallback: Words = Field(
        default_factory=list, description="exchanges to ask, in this order, when the first cannot answer"
    )
    offline: bool = Field(default=False, description="send nothing beyond this machine")
    timeout: float = Field(60.0, gt=0, le=3600, description="seconds one request may take")
    max_wait: float = Field(300.0, ge=0, le=86_400, description="longest wait for a request budget, seconds")
    no_color: bool = Field(default=False, description="no colours")
    errors: Literal["text", "json"] = Field("text", description="how errors are printed on stderr")
    min_usd: Annotated[float, BeforeValidator(short_amount)] = Field(
        100_000.0, gt=0, allow_inf_nan=False, description="smallest trade mkt watch large-trades shows, in USD"
    )
    log_file: str | None = Field(
        None, description="append every request to this file as JSON lines", examples=["mkt.log"]
    )


# Read by `directories`, not settings of a command.
DIRECTORY_VARIABLES = ("MKT_CONFIG_DIR", "MKT_DATA_DIR", "MKT_CACHE_DIR", "MKT_STATE_DIR")


@dataclass(frozen=True, slots=True)
class Directories:
    """Where things live: settings, market data (costly, kept), lists that can be fetched again, budgets and logs."""

    config: Path
    data: Path
    cache: Path
    state: Path


def directories(environment: Mapping[str, str] = os.environ) -> Directories:
    """The user's directories by the platform's convention, or what `MKT_*_DIR` say; none is created here."""
    from platformdirs import PlatformDirs  # noqa: PLC0415

    usual = PlatformDirs("mkt", appauthor=False)
    places = (usual.user_config_dir, usual.user_data_dir, usual.user_cache_dir, usual.user_state_dir)
    return Directories(
        *(Path(environment.get(name) or place) for name, place in zip(DIRECTORY_VARIABLES, places, strict=True))
    )


def file_of(environment: Mapping[str, str] = os.environ) -> Path:
    """The user's settings file, whether it exists or not."""
    return directories(environment).config / "config.toml"


def load(
    flags: Mapping[str, Any], *, environment: Mapping[str, str] = os.environ, file: Path | None = None
) -> tuple[Config, list[str]]:
    """The settings in force, and warnings about `MKT_*` variables nobody knows.

    `flags` holds what was given on the command line (None: not given). Raises `UsageError` that names key and origin.
    """
    given = layers(flags, environment, file=file)
    for origin, values in given.items():
        validate(values, origin)
    merged: dict[str, Any] = {}
    for values in given.values():
        merged |= values
    return Config.model_validate(merged), unknown_variables(environment)


def layers(
    flags: Mapping[str, Any], environment: Mapping[str, str], *, file: Path | None = None
) -> dict[str, dict[str, Any]]:
    """What was set, by where it was set; the last wins."""
    path = file or file_of(environment)
    return {
        str(path): read(path),
        "environment": from_environment(environment),
        "flags": {name: value for name, value in flags.items() if value is not None},
    }


def origins(
    flags: Mapping[str, Any], *, environment: Mapping[str, str] = os.environ, file: Path | None = None
) -> dict[str, str]:
    """Where each setting in force comes from: `flag`, a variable, the path of the file, or `default`."""
    found = dict.fromkeys(Config.model_fields, "default")
    for origin, values in layers(flags, environment, file=file).items():
        for key in values:
            found[key] = {"environment": f"{PREFIX}{key.upper()}", "flags": "flag"}.get(origin, origin)
    return found


def validate(values: Mapping[str, Any], origin: str) -> None:
    """Check one layer by itself, so that the message can say where a bad value came from."""
    try:
        Config.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][0])
        shown = f"{PREFIX}{key.upper()}" if origin == "environment" else clean(key)
        where = "" if origin in {"environment", "flags"} else f" in {origin}"
        if first["type"] == "extra_forbidden":
            raise UsageError(
                f"There is no setting {shown!r}{where}.", hint=nearest(key, list(Config.model_fields))
            ) from None
        raise UsageError(
            f"The setting {shown}{where} is {clean(repr(first['input']))}: {first['msg']}.",
            hint=f"{key}: {Config.model_fields[key].description}.",
        ) from None


def read(path: Path) -> dict[str, Any]:
    """The user's file, or nothing. Raises `UsageError` if it is not TOML, `LocalError` if it cannot be read."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not valid TOML: {error}.", hint="Mend the line, or move the file away.") from None
    except OSError as error:
        raise LocalError(f"{path} cannot be read: {error.strerror}.") from None


def from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """The settings that stand in `MKT_*` variables; an empty one counts as absent."""
    return {
        name: value for name in Config.model_fields if (value := environment.get(f"{PREFIX}{name.upper()}", "")) != ""
    }


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """A sentence for every `MKT_*` variable that means nothing."""
    known = [f"{PREFIX}{name.upper()}" for name in Config.model_fields]
    return [
        f"The environment variable {clean(name)} means nothing to mkt. {nearest(name, known)}"
        for name in sorted(environment)
        if name.startswith(PREFIX) and name not in known and name not in DIRECTORY_VARIABLES
    ]


def nearest(word: str, known: list[str]) -> str:
    """A hint that names the most similar known word, or all of them."""
    close = difflib.get_close_matches(word.lower(), [name.lower() for name in known], n=1, cutoff=0.6)
    if close:
        return f"Did you mean {next(name for name in known if name.lower() == close[0])}?"
    return f"There are: {', '.join(known)}."


def checked_key(key: str) -> str:
    """A setting's name. Raises `UsageError` with the nearest."""
    if key not in Config.model_fields:
        raise UsageError(f"There is no setting {clean(key)!r}.", hint=nearest(key, list(Config.model_fields)))
    return key


def checked_value(key: str, text: str) -> Any:
    """A setting's value as it may stand in the file. Raises `UsageError`."""
    checked_key(key)
    validate({key: text}, "flags")
    value = getattr(Config.model_validate({key: text}), key)
    if value == "" or not all(harmless(character) for character in text):
        raise UsageError(f"The setting {key} cannot be {clean(text)!r}.", hint="To unset it, delete its line.")
    return value


def toml(value: Any) -> str:
    """A setting's value as TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return number(value)
    return json.dumps(value, ensure_ascii=False)


def edited(text: str, key: str, value: Any) -> str:
    """The text of a settings file with one key changed and every other line as it was.

    Each way to change a line is tried and taken only if the file then says exactly that. Raises `UsageError` if the
    file is no TOML, or so written that no line can be changed.
    """
    wanted, lines = tomllib.loads(text) | {key: value}, text.splitlines(keepends=True)
    for start, line in enumerate(lines):
        if lead := re.match(rf"""\s*(["']?){key}\1\s*=\s*""", line):
            for end in range(start + 1, len(lines) + 1):
                block = "".join(lines[start:end])
                changed = "".join((*lines[:start], lead[0], toml(value), tail(block), *lines[end:]))
                if says(changed, wanted):
                    return changed
    appended = f"{text}{'' if text.endswith(chr(10)) or not text else chr(10)}{key} = {toml(value)}\n"
    if says(appended, wanted):
        return appended
    raise UsageError(
        f"The file is so written that {key} cannot be changed.", hint=f"Write {key} = {toml(value)} in it."
    )


def says(text: str, wanted: Mapping[str, Any]) -> bool:
    """Whether a text is TOML of exactly these values."""
    try:
        return tomllib.loads(text) == wanted
    except tomllib.TOMLDecodeError:
        return False


def tail(block: str) -> str:
    """What stands behind the value of `key = value`: a comment, and the end of the line."""
    for place in (match.start() for match in re.finditer(r"\s*(?:#|\r?\n?\Z)", block)):
        with contextlib.suppress(tomllib.TOMLDecodeError):
            tomllib.loads(block[:place])
            return block[place:]
    return ""


def sample() -> str:
    """A settings file that sets nothing and shows every key, its meaning and its default."""
    lines = ["# Settings of mkt: remove the # before what you change. A flag or MKT_* variable wins over this file.\n"]
    for key, field in Config.model_fields.items():
        default = field.get_default(call_default_factory=True)
        value, kind = ((field.examples or [""])[0], "not set; for example") if default is None else (default, "default")
        lines.append(f"# {field.description} ({kind}: {toml(value)})\n# {key} = {toml(value)}\n")
    return "\n".join(lines)

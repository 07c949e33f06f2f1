"""``[tool.tb_cnndiag]`` in pyproject.toml: a team's thresholds, and what its check fails on."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from tb_cnndiag.judging.judge import Limits, check_limits, nearest
from tb_cnndiag.logs import Steps
from tb_cnndiag.report.compare import Bound
from tb_cnndiag.report.gate import CheckSelection
from tb_cnndiag.report.outcome import FAIL_ON

tomllib = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
FILE = "pyproject.toml"
TABLE = "tb_cnndiag"
KEYS = dict.fromkeys(
    (
        "limits",
        "select",
        "ignore",
        "require",
        "run",
        "step",
        "fail-on",
        "baseline",
        "max-increase",
        "max-decrease",
        "max-size",
    )
)


class ConfigError(ValueError):
    """The configuration cannot be used; the message says where and why."""


@dataclass(frozen=True)
class Config:
    """The settings of the table. Flags override them."""

    limits: Limits = field(default_factory=dict)
    select: Sequence[str] = ()
    ignore: Sequence[str] = ()
    run: Sequence[str] = ()
    step: Steps = (None, None)
    fail_on: str = "error"
    baseline: Path | None = None
    bounds: Sequence[Bound] = ()
    max_size: float = 5.0
    require: Sequence[str] = ()


def steps(text: str) -> Steps:
    """First and last step of a text such as ``100:2000``, ``100:`` or ``:2000``.

    Raises:
        ValueError: If the text is not of this form.
    """
    first, colon, last = text.partition(":")
    try:
        return (int(first) if first else None), (int(last) if last else None if colon else int(first))
    except ValueError:
        raise ValueError(f"step is {text!r}; expected FIRST:LAST, e.g. 100:2000, 100: or :2000.") from None


def find_config(start: Path) -> Path | None:
    """The nearest pyproject.toml, in the directory or above."""
    return next((path for each in (start, *start.parents) if (path := each / FILE).is_file()), None)


def load_config(path: Path | None) -> Config:
    """Read the table of a file; without a file or a table, the defaults.

    Raises:
        ConfigError: If the file cannot be read, or has an unknown key or an invalid value.
    """
    if path is None:
        return Config()
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {error}") from None
    table = content.get("tool", {}).get(TABLE, {})
    try:
        return _config(table, path.parent)
    except ValueError as error:
        raise ConfigError(f"{path}, [tool.{TABLE}]: {error}") from None


def _config(table: Any, home: Path) -> Config:
    if not isinstance(table, Mapping):
        raise ValueError("is not a table.")
    for key in table:
        if key not in KEYS:
            raise ValueError(f"there is no key {key!r}.{nearest(key, KEYS)} Keys are: {', '.join(KEYS)}.")
    config = Config(
        _limits(table.get("limits", {})),
        _names(table, "select"),
        _names(table, "ignore"),
        _names(table, "run", "patterns of run names, e.g. run = ['night*']"),
        _steps(table.get("step", "")),
        table.get("fail-on", "error"),
        _baseline(table, home),
        (*_bounds(table, "max-increase", 1), *_bounds(table, "max-decrease", -1)),
        _size(table.get("max-size", 5.0)),
        _names(table, "require"),
    )
    if config.fail_on not in FAIL_ON:
        near = nearest(str(config.fail_on), dict.fromkeys(FAIL_ON))
        raise ValueError(f"fail-on is {config.fail_on!r}.{near} Allowed: {', '.join(FAIL_ON)}.")
    CheckSelection(config.limits, config.select, config.ignore, require=config.require).check()
    return config


def _names(table: Mapping[str, Any], key: str, what: str = "") -> tuple[str, ...]:
    names = table.get(key, [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"{key} must be a list of {what or f'faults, e.g. {key} = [{chr(39)}dead_units{chr(39)}]'}.")
    return tuple(names)


def _steps(value: Any) -> Steps:
    if not isinstance(value, str):
        raise ValueError(f"step is {value!r}; expected a string, e.g. '100:2000'.")
    return steps(value) if value else (None, None)


def _baseline(table: Mapping[str, Any], home: Path) -> Path | None:
    value = table.get("baseline")
    if value is not None and not isinstance(value, str):
        raise ValueError(f"baseline is {value!r}; expected the name of a file.")
    return home / value if value else None


def _bounds(table: Mapping[str, Any], key: str, sign: int) -> Iterator[Bound]:
    value = table.get(key, {})
    if not isinstance(value, Mapping):
        raise ValueError(f"{key} must be a table, e.g. {key}.dead_ratio = 0.05.")
    for name, most in value.items():
        yield Bound(name, _number(f"{key}.{name}", most), sign)


def _size(value: Any) -> float:
    if not 0 < _number("max-size", value) < float("inf"):
        raise ValueError(f"max-size is {value!r}; expected a positive number of MB.")
    return float(value)


def _number(key: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{key} is {value!r}; expected a number.")
    return float(value)


def _limits(value: Any) -> Limits:
    if not isinstance(value, Mapping) or not all(isinstance(values, Mapping) for values in value.values()):
        raise ValueError("limits must be a table of tables, e.g. limits.dead_units.dead_ratio = 0.5.")
    check_limits(value)
    return {
        fault: {name: _number(f"limits.{fault}.{name}", limit) for name, limit in values.items()}
        for fault, values in value.items()
    }

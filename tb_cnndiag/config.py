"""``[tool.tb_cnndiag]`` of a pyproject.toml: the team's limits and what its check fails on."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from tb_cnndiag.judge import Limits, check_limits, nearest
from tb_cnndiag.report.gate import Choice
from tb_cnndiag.report.outcome import FAIL_ON

tomllib = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
FILE = "pyproject.toml"
TABLE = "tb_cnndiag"
KEYS = {"limits": "", "select": "", "ignore": "", "fail-on": ""}


class ConfigError(ValueError):
    """The configuration cannot be used; the message says where and why."""


@dataclass(frozen=True)
class Config:
    """What the table says. Flags win over all of it."""

    limits: Limits = field(default_factory=dict)
    select: Sequence[str] = ()
    ignore: Sequence[str] = ()
    fail_on: str = "error"


def find_config(start: Path) -> Path | None:
    """The nearest pyproject.toml, in the directory or above."""
    return next((path for each in (start, *start.parents) if (path := each / FILE).is_file()), None)


def load_config(path: Path | None) -> Config:
    """Read the table of a file; the defaults where there is none.

    Raises:
        ConfigError: When the file cannot be read, or has a key or value that means nothing.
    """
    if path is None:
        return Config()
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {error}") from None
    table = told.get("tool", {}).get(TABLE, {})
    try:
        return _config(table)
    except ValueError as error:
        raise ConfigError(f"{path}, [tool.{TABLE}]: {error}") from None


def _config(table: Any) -> Config:
    if not isinstance(table, Mapping):
        raise ValueError("is no table.")
    for key in table:
        if key not in KEYS:
            raise ValueError(f"there is no key {key!r}.{nearest(key, KEYS)} Keys are: {', '.join(KEYS)}.")
    config = Config(
        _limits(table.get("limits", {})),
        _names(table, "select"),
        _names(table, "ignore"),
        table.get("fail-on", "error"),
    )
    if config.fail_on not in FAIL_ON:
        near = nearest(str(config.fail_on), dict.fromkeys(FAIL_ON))
        raise ValueError(f"fail-on is {config.fail_on!r}.{near} It can be: {', '.join(FAIL_ON)}.")
    Choice(config.limits, config.select, config.ignore).check()
    return config


def _names(table: Mapping[str, Any], key: str) -> tuple[str, ...]:
    names = table.get(key, [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"{key} is to be a list of faults, as in {key} = ['dead_units'].")
    return tuple(names)


def _limits(told: Any) -> Limits:
    if not isinstance(told, Mapping) or not all(isinstance(values, Mapping) for values in told.values()):
        raise ValueError("limits is to be a table of tables, as in limits.dead_units.dead_ratio = 0.5.")
    check_limits(told)
    for fault, values in told.items():
        for name, value in values.items():
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ValueError(f"limits.{fault}.{name} is {value!r}; a number is wanted.")
    return {fault: {name: float(value) for name, value in values.items()} for fault, values in told.items()}

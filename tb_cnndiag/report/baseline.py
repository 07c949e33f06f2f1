"""The baseline file: findings that a team knows of and has decided to live with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tb_cnndiag.finding import SEVERITIES
from tb_cnndiag.report.outcome import Baseline, Key, Outcome

VERSION = 1


class BaselineError(ValueError):
    """The baseline cannot be used; the message says why and what to do."""


def load_baseline(path: Path) -> Baseline:
    """Read a baseline.

    Raises:
        BaselineError: When there is none or it is none.
    """
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BaselineError(f"The baseline {path} does not exist. Write it with --update-baseline.") from None
    except (OSError, ValueError) as error:
        raise BaselineError(f"The baseline {path} cannot be read ({error}). Write it anew.") from None
    if not isinstance(told, dict) or told.get("version") != VERSION:
        raise BaselineError(f"{path} is no baseline of version {VERSION}. Write it anew with --update-baseline.")
    try:
        return Baseline({_key(entry): _severity(entry) for entry in told["findings"]})
    except (KeyError, TypeError, ValueError) as error:
        raise BaselineError(f"The baseline {path} has an entry that is none ({error}).") from None


def updated(outcome: Outcome) -> str:
    """The baseline that knows all of the outcome; what the check did not look at stays as it was."""
    old = outcome.baseline.severities if outcome.baseline else {}
    kept = {key: severity for key, severity in old.items() if not outcome.covers(key)}
    for result, finding in outcome:
        key = result.key(finding)
        before = kept.get(key, finding.severity)
        kept[key] = max(before, finding.severity, key=SEVERITIES.index)
    entries = [
        {"run": key.run, "fault": key.fault, "layer": key.layer or None, "severity": severity}
        for key, severity in sorted(kept.items())
    ]
    return json.dumps({"version": VERSION, "findings": entries}, indent=2, ensure_ascii=True) + "\n"


def _key(entry: Any) -> Key:
    run, fault, layer = entry["run"], entry["fault"], entry["layer"]
    if not isinstance(run, str) or not isinstance(fault, str) or not isinstance(layer, str | None):
        raise TypeError("run, fault and layer are texts")
    return Key(run, fault, layer or "")


def _severity(entry: Any) -> Any:
    if entry["severity"] not in SEVERITIES:
        raise ValueError(f"severity {entry['severity']!r}")
    return entry["severity"]

"""The baseline file: findings that a team knows and accepts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tb_cnndiag.finding import SEVERITIES
from tb_cnndiag.report.outcome import Baseline, Key, Outcome

VERSION = 1
AGAIN = "Write a new one with --update-baseline."


class BaselineError(ValueError):
    """The baseline cannot be used; the message says why and what to do."""


def load_baseline(path: Path) -> Baseline:
    """Read a baseline.

    Raises:
        BaselineError: If the file does not exist or is not a baseline.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BaselineError(f"The baseline {path} does not exist. Write it with --update-baseline.") from None
    except (OSError, ValueError) as error:
        raise BaselineError(
            f"The baseline {path} cannot be read ({error}). Write a new one with --update-baseline."
        ) from None
    if not isinstance(content, dict) or content.get("version") != VERSION:
        raise BaselineError(f"{path} is not a baseline of version {VERSION}. {AGAIN}")
    try:
        return Baseline({_key(entry): _severity(entry) for entry in content["findings"]})
    except (KeyError, TypeError, ValueError) as error:
        raise BaselineError(
            f"The baseline {path} has an invalid entry ({error}). Write a new one with --update-baseline."
        ) from None


def updated(outcome: Outcome) -> str:
    """A baseline with all findings of the outcome; entries that the check did not cover stay as they were."""
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
        raise TypeError("run, fault and layer must be strings")
    return Key(run, fault, layer or "")


def _severity(entry: Any) -> Any:
    if entry["severity"] not in SEVERITIES:
        raise ValueError(f"severity {entry['severity']!r}")
    return entry["severity"]

"""The outcome as SARIF 2.1.0 (OASIS), for code scanning."""

from __future__ import annotations

import json
import re
from importlib.metadata import version
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import quote

from tb_cnndiag.finding import Finding
from tb_cnndiag.judging.faults import Fault
from tb_cnndiag.report.json_format import as_evidence
from tb_cnndiag.report.outcome import Key, Outcome, Result
from tb_cnndiag.report.text import adjustment_text, cause_of, plain, switched_off_text, unjudged_text
from tb_cnndiag.summaries.names import RUN_DIRECTORY
from tb_cnndiag.summaries.storage import below, is_url

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {"error": "error", "warning": "warning", "info": "note"}


def render(outcome: Outcome) -> str:
    """One SARIF run: every fault that the check covered is a rule, every finding a result."""
    rules = {fault.id: index for index, fault in enumerate(outcome.faults)}
    results = [_result(outcome, result, finding, rules) for result, finding in outcome]
    results += [_absent(key, rules) for key in outcome.fixed]
    driver = {
        "name": "tb-cnndiag",
        "version": version("tb-cnndiag"),
        "rules": [_rule(fault) for fault in outcome.faults],
    }
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": "tb-cnndiag/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(outcome)],
        "results": results,
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, allow_nan=False) + "\n"


def _invocation(outcome: Outcome) -> dict[str, Any]:
    """Whether every run could be judged; if not, a notification for each that could not."""
    reasons = [
        f"{plain(result.label)}: {reason}"
        for result in outcome.unjudged
        for reason in (
            *([plain(switched_off_text(result.switched_off))] if result.switched_off else []),
            *(unjudged_text(each) for each in outcome.missing(result)),
        )
    ]
    notifications = [{"level": "error", "message": {"text": _message(reason)}} for reason in reasons]
    return {"executionSuccessful": not notifications} | (
        {"toolExecutionNotifications": notifications} if notifications else {}
    )


def _rule(fault: type[Fault]) -> dict[str, Any]:
    return {
        "id": fault.id,
        "name": "".join(word.capitalize() for word in fault.id.split("_")),
        "shortDescription": {"text": fault.title},
        "fullDescription": {"text": f"{fault.what} {fault.why}"},
        "help": {"text": f"{fault.advice}\n\nSource: {fault.source}"},
        "defaultConfiguration": {"level": "error"},
        "properties": {"tags": ["neural-network", fault.diagnostic]},
    }


def _result(outcome: Outcome, result: Result, finding: Finding, rules: dict[str, int]) -> dict[str, Any]:
    sentences = [plain(finding.message)]
    if finding.caused_by:
        sentences.append(f"Because of: {plain(cause_of(finding))}.")
    sentences += [
        f"Change {plain(adjustment_text(adjustment.layer or '', adjustment))}." for adjustment in finding.adjustments
    ]
    found = _entry(result.key(finding), rules, LEVELS[finding.severity], " ".join(sentences), _location(result))
    status = outcome.status(result, finding)
    if status:
        found["baselineState"] = "unchanged" if status == "known" else "new"
    found["properties"] = {
        "run": result.run,
        "first_step": finding.first_step,
        "last_step": finding.last_step,
        "evidence": {name: as_evidence(evidence) for name, evidence in finding.evidence.items()},
    }
    return found


def _absent(key: Key, rules: dict[str, int]) -> dict[str, Any]:
    entry = _entry(key, rules, "note", "Known, and no longer found.", _uri(PurePath(key.run, RUN_DIRECTORY)))
    return entry | {"baselineState": "absent"}


def _entry(key: Key, rules: dict[str, int], level: str, text: str, uri: str) -> dict[str, Any]:
    where = {
        "fullyQualifiedName": f"{key.run}/{key.layer}" if key.layer else key.run,
        "name": key.layer or key.run,
        "kind": "module",
    }
    return {
        "ruleId": key.fault,
        "ruleIndex": rules[key.fault],
        "level": level,
        "message": {"text": _message(text)},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": 1}},
                "logicalLocations": [where],
            }
        ],
        "partialFingerprints": {"cnndiagFinding/v1": key.fingerprint()},
    }


def _message(text: str) -> str:
    """Text without placeholders and embedded links (SARIF 2.1.0, 3.11.5 and 3.11.6)."""
    text = text.replace("{", "{{").replace("}", "}}")
    return re.sub(r"([\\\[\]])", r"\\\1", text) if "](" in text else text


def _location(result: Result) -> str:
    directory = below(below(result.logdir, result.run), RUN_DIRECTORY)
    return directory if is_url(directory) else _uri(PurePath(directory))


def _uri(path: PurePath) -> str:
    """Address of the run's directory: relative if the logdir is, as code scanning expects."""
    return Path(path).as_uri() if path.is_absolute() else quote(path.as_posix(), errors="surrogateescape")

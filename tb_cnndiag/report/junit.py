"""The outcome as JUnit XML: a suite for each run, a case for each fault: names stay the same from run to run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from tb_cnndiag.report.groups import Group, grouped
from tb_cnndiag.report.outcome import Outcome, Result
from tb_cnndiag.report.text import cause_of, findings_as_text, switched_off_text

# Characters that XML 1.0 cannot hold, not even escaped.
_IMPOSSIBLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(outcome: Outcome) -> str:
    """The whole outcome. Findings that do not fail are passing cases with text output; known ones are skipped."""
    root = ET.Element("testsuites", name="tb-cnndiag")
    totals = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    for result in outcome.results:
        suite = _suite(outcome, result)
        root.append(suite)
        for name in totals:
            totals[name] += int(suite.get(name, "0"))
    root.attrib.update({name: str(count) for name, count in totals.items()} | {"time": "0"})
    ET.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _suite(outcome: Outcome, result: Result) -> ET.Element:
    suite = ET.Element("testsuite", name=clean(result.label))
    found: dict[str, list[Group]] = {}
    for group in grouped(
        result.findings, lambda finding: (outcome.fails(result, finding), outcome.status(result, finding))
    ):
        found.setdefault(group.fault, []).append(group)
    for groups in found.values():
        suite.append(_case(outcome, result, groups))
    ended = {each.fault: each for each in result.coverage}
    for fault in outcome.faults:
        if fault.id in found:
            continue
        case = ET.SubElement(suite, "testcase", classname=clean(result.label), name=fault.id, time="0")
        each = ended.get(fault.id)
        if each is None or each.status in ("found", "clear"):
            continue
        if each in outcome.missing(result):
            ET.SubElement(case, "error", message=clean(each.reason), type=each.status)
        else:
            ET.SubElement(case, "skipped", message=clean(f"{each.status.replace('_', ' ')}: {each.reason}"))
    if result.switched_off is not None:
        case = ET.SubElement(suite, "testcase", classname=clean(result.label), name="diagnostics", time="0")
        ET.SubElement(case, "error", message=clean(switched_off_text(result.switched_off)), type="switched_off")
    counts = {
        "tests": len(suite),
        "failures": len(suite.findall("testcase/failure")),
        "errors": len(suite.findall("testcase/error")),
        "skipped": len(suite.findall("testcase/skipped")),
    }
    suite.attrib.update({name: str(count) for name, count in counts.items()} | {"time": "0"})
    return suite


def _case(outcome: Outcome, result: Result, groups: Sequence[Group]) -> ET.Element:
    """One fault: a failure if it fails in any layer, skipped if it is known in all."""
    case = ET.Element("testcase", classname=clean(result.label), name=clean(groups[0].fault), time="0")
    failing = [group for group in groups if outcome.fails(result, group.first)]
    words = "\n".join(findings_as_text(group.findings) for group in failing or groups)
    message = " ".join(f"{group.severity}: {group.message}{_because(group)}" for group in failing or groups)
    if failing:
        ET.SubElement(case, "failure", message=clean(message), type=groups[0].fault).text = clean(words)
    elif all(outcome.status(result, group.first) == "known" for group in groups):
        ET.SubElement(case, "skipped", message=clean(f"known: {message}"))
    else:
        ET.SubElement(case, "system-out").text = clean(words)
    return case


def _because(group: Group) -> str:
    return f" Because of: {cause_of(group.first)}." if group.caused_by else ""


def clean(text: str) -> str:
    """The text, with characters that XML cannot hold replaced."""
    return _IMPOSSIBLE.sub("\ufffd", text)

"""The outcome as JUnit XML: a suite for each run, a case for each finding and for each fault that was not found."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from tb_cnndiag.finding import Finding
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
    found = {finding.fault for finding in result.findings}
    for finding in result.findings:
        suite.append(_case(outcome, result, finding))
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


def _case(outcome: Outcome, result: Result, finding: Finding) -> ET.Element:
    name = f"{finding.fault} [{finding.layer}]" if finding.layer else finding.fault
    case = ET.Element("testcase", classname=clean(result.label), name=clean(name), time="0")
    because = f" Because of: {cause_of(finding)}." if finding.caused_by else ""
    message = clean(f"{finding.severity}: {finding.message}{because}")
    words = clean(findings_as_text([finding]))
    if outcome.fails(result, finding):
        ET.SubElement(case, "failure", message=message, type=finding.fault).text = words
    elif outcome.status(result, finding) == "known":
        ET.SubElement(case, "skipped", message=f"known: {message}")
    else:
        ET.SubElement(case, "system-out").text = words
    return case


def clean(text: str) -> str:
    """The text, with characters that XML cannot hold replaced."""
    return _IMPOSSIBLE.sub("\ufffd", text)

"""Every format, with hostile names, read back by what it is meant for."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tb_cnndiag.report import github, json_format, junit, markdown, sarif, text
from tb_cnndiag.report.formats import FORMATS
from tb_cnndiag.report.outcome import Key
from tests.report.outcomes import HOSTILE, all_kinds, finding, hostile, outcome

SCHEMA = Path(__file__).parents[2] / "docs" / "findings.schema.json"
SARIF = Path(__file__).with_name("sarif_minimal.schema.json")


def _validated(reported: Any, schema: Path) -> Any:
    jsonschema = pytest.importorskip("jsonschema")
    described = json.loads(schema.read_text(encoding="utf-8"))
    checker = jsonschema.validators.validator_for(described)
    checker.check_schema(described)
    checker(described).validate(reported)
    return described


def _strict(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


@pytest.mark.parametrize("made", [all_kinds(), outcome(), outcome(hostile(), fail_on="never")])
def test_json_is_as_published(made: Any) -> None:
    reported = json.loads(json_format.render(made), parse_constant=_strict)
    described = _validated(reported, SCHEMA)
    assert set(reported) == set(described["properties"])
    for each in reported["findings"]:
        assert set(each) == set(described["$defs"]["finding"]["properties"])


def test_json_reports_new_known_and_fixed() -> None:
    reported = json.loads(json_format.render(all_kinds()))
    assert [f["status"] for f in reported["findings"]] == ["new", "new", "known", "new", "new"]
    assert [f["fails"] for f in reported["findings"]] == [True, True, False, True, False]
    assert [key["layer"] for key in reported["fixed"]] == ["gone"]
    assert reported["passed"] is False
    assert reported["findings"][0]["evidence"]["dead_ratio"]["value"] == "NaN"
    assert reported["findings"][0]["units"] == [[0, 1], [2, 3]]


def test_junit_goes_round_through_a_real_parser() -> None:
    junitparser = pytest.importorskip("junitparser")
    written = junit.render(all_kinds())
    parsed = junitparser.JUnitXml.fromstring(written.encode())
    (suite,) = list(parsed)
    cases = {case.name: case for case in suite}
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (len(cases), 1, 0, 0)
    assert (parsed.tests, parsed.failures) == (suite.tests, suite.failures)
    (failure,) = cases["dead_units"].result
    assert isinstance(failure, junitparser.Failure)
    assert failure.type == "dead_units"
    assert all(layer in failure.message for layer in ("worse", "effect", "<script>"))
    assert "known" not in failure.message
    known = {Key("r", "dead_units", layer): "warning" for layer in ("a", "b")}
    (every,) = junitparser.JUnitXml.fromstring(
        junit.render(outcome(finding("a", "warning"), finding("b", "warning"), known=known)).encode()
    )
    (skipped,) = next(case for case in every if case.name == "dead_units").result
    assert isinstance(skipped, junitparser.Skipped)
    assert "Dead units in 2 layers: a, b." in skipped.message
    assert cases["overfitting"].result == []
    assert "all units are dead" in cases["overfitting"].system_out
    assert cases["nan_or_inf"].is_passed
    again = junitparser.JUnitXml.fromstring(parsed.tostring())
    assert [case.name for case in next(iter(again))] == list(cases)


@pytest.mark.parametrize("made", [all_kinds(), outcome(), outcome(hostile(), fail_on="never")])
def test_sarif_has_the_structure_of_2_1_0(made: Any) -> None:
    reported = json.loads(sarif.render(made), parse_constant=_strict)
    _validated(reported, SARIF)
    (run,) = reported["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    prints = [tuple(result["partialFingerprints"].values()) for result in run["results"]]
    assert len(set(prints)) == len(prints)


def test_sarif_reports_how_results_stand_against_the_baseline() -> None:
    results = json.loads(sarif.render(all_kinds()))["runs"][0]["results"]
    assert [r["baselineState"] for r in results] == ["new", "new", "unchanged", "new", "new", "absent"]
    assert [r["level"] for r in results][:5] == ["error", "error", "warning", "error", "note"]
    hostile_text = results[0]["message"]["text"]
    assert "{{0}}" in hostile_text
    assert "\\](http" in hostile_text


class _Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)


def test_markdown_keeps_names_as_text() -> None:
    reported = markdown.render(all_kinds())
    assert set(_Tags(reported).tags) == {"code"}
    assert "[x](" not in reported
    assert "\x1b" not in reported
    assert "2 errors" not in reported
    assert "3 errors, 1 warning, 1 info" in reported
    assert "Against the baseline: 4 new, 1 known, 1 fixed." in reported
    # What starts a line is ours.
    assert all(re.match(r"( *- |#|✅|\d|Against|$)", line) for line in reported.splitlines())


def test_markdown_stays_below_the_limit_of_a_step_summary() -> None:
    many = [finding(f"{number}{HOSTILE * 30}", fault=f"fault_{number}") for number in range(5_000)]
    reported = markdown.render(outcome(*many))
    assert 900_000 < len(reported.encode()) < 1_024_000
    counted = re.search(r"and ([\d,]+) more entries", reported)
    assert counted
    kept = reported.count("**error**")
    assert kept + int(counted.group(1).replace(",", "")) == 5_000


def test_workflow_commands_are_one_line_each_and_escaped() -> None:
    reported = github.render(all_kinds())
    lines = reported.split("\n")
    assert lines.pop() == ""
    assert len(lines) == 5
    for line in lines:
        name, properties, data = re.fullmatch(r"::(\w+) title=([^:,\r\n]*)::([^\r\n]*)", line).groups()  # type: ignore[union-attr]
        assert name in ("error", "warning", "notice")
        assert not re.search("%(?!25|0A|0D|3A|2C)", properties)
        assert not re.search("%(?!25|0A|0D)", data)
    assert "%250A%0D%0A" in lines[0]
    assert lines[2].startswith("::notice ")
    assert "known: known" in lines[2]


def test_text_holds_no_control_characters_and_reports_the_baseline() -> None:
    reported = text.render(all_kinds())
    assert all(character.isprintable() or character == "\n" for character in reported)
    assert "(known)" in reported
    assert "fixed: dead_units in gone" in reported
    assert reported.endswith("against the baseline: 4 new, 1 known, 1 fixed\n")


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_can_report_nothing(name: str) -> None:
    assert isinstance(FORMATS[name](outcome()), str)

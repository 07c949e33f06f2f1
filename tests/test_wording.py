"""Numbers for people: the cases that the frontend is tested with, too."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from tb_cnndiag.wording import labeled, number, percent, plural, times

CASES = json.loads((Path(__file__).parents[1] / "summaries" / "golden" / "numbers.json").read_text("utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['value']} {case['unit']}")
def test_numbers_are_written_as_in_the_tab(case: dict[str, object]) -> None:
    assert number(float(str(case["value"])), str(case["unit"])) == case["text"]


def test_what_is_no_number() -> None:
    assert number(math.nan) == "not measured"
    assert (number(math.inf), number(-math.inf, "ratio")) == ("∞", "−∞")


def test_units_are_named_where_they_say_something() -> None:
    assert labeled(512, "count") == "512"
    assert labeled(0.5, "share") == "50 %"
    assert labeled(12.0, "MB") == "12 MB"


def test_factors_shares_and_counts_in_sentences() -> None:
    assert (times(3), times(5e6)) == ("3 ×", "> 1,000 ×")
    assert percent(0.3333) == "33.3 %"
    assert (plural(1, "snapshot"), plural(1200, "batch", "batches")) == ("1 snapshot", "1,200 batches")

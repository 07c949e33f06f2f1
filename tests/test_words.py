"""The product speaks plain English: none of the words that the glossary replaces is in its text, messages or screens.

A pattern is a word, or a construction, that stood for several ideas at once. ``EXEMPT`` lists the places where it is an
API name that must stay, or quotes somebody else.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BANNED = {
    "look as a noun (snapshot)": (
        r"\b(?:a|the|each|every|per|first|last|this|that|next|one|two|three|of|no|costly|heavy|light) looks?\b"
        r"|\d looks\b|\blooked at\b|\blook(?:s|ed|ing)? into\b"
    ),
    "told, tell (report, say, distinguish)": r"\b(?:told|tells?|telling|untold)\b",
    "unwell (faulty)": r"\bunwell\b|\bis well\b|\bare well\b",
    "mend (fix)": r"\bmend(?:s|ed|ing)?\b",
    "held (persisted)": r"\bHeld\b|\bheld\b(?![- ]out)",
    "maimed, thrown (died during training)": r"\bmaimed\b|\bthrown dead\b",
    "gathered (collected)": r"\bgather(?:s|ed|er|ing)\b",
    "is none, is no … (does not exist, is not a …)": (
        r"(?<!there )\b(?:is|are) none\b"
        r"|(?<!there )\bis no (?:size|baseline|table|model|run|finding|number|directory|layer)\b"
    ),
    "whatever (any, the)": r"\bwhatever\b",
    "from which, up to which (above, below)": r"\b(?:from|up to) which\b",
    "as they were drawn (initial)": r"\bas (?:they|it) (?:were|was) drawn\b",
    "by far (a number)": r"\bby far\b",
    "beside (next to, compared with)": r"\bbeside\b",
    "restraints (regularization)": r"\brestraints?\b",
    "not such as (expected e.g.)": r"\bnot such as\b",
    "British spelling": (
        r"(?i)\b(?:\w*(?:ormalis|nitialis|egularis|uantis|erialis|ecognis)\w+|behaviours?|colou?red?s?(?<=our)|colours?|grey"
        r"|centre[sd]?|neighbours?|judgements?|catalogue|labelled|favour\w*)\b"
    ),
}
# (file, as a glob; pattern of the text that may stay; why)
EXEMPT = (
    ("*", r"unnormalised_input|UnnormalisedInput|bad_init", "fault ids are API"),
    ("*", r"tf\.gather|ops\.gather|_gather\(", "names of other libraries"),
    ("*", r"file\.tell\(\)|\.tell\(\)", "a file's method"),
    ("summaries/cnndiag.proto", r'"gathered" before version', "the older name on the wire"),
    ("frontend/src/summaries/cnndiag_pb.ts", r'"gathered" before version', "the older name on the wire"),
    ("tb_cnndiag/summaries/codec_run_info.py", r'"gathered"', "the older name on the wire"),
    ("tb_cnndiag/judging/judge.py", r'"maimed"', "the former name of a threshold"),
    ("frontend/src/screens/facts.tsx", r"[\"']gathered[\"']", "the older name on the wire"),
    ("tests/test_words.py", r".*", "the words themselves"),
    ("benchmarks/corpus/cases/*", r"\"[^\"]*\"", "names of cases are keys: a hash of the name decides its half"),
    ("benchmarks/corpus/cases/*", r"Quantised", "the name of a class is part of a case's fingerprint"),
    ("benchmarks/corpus/*.json", r".*", "names of cases"),
    (
        "benchmarks/faults/*.md",
        r"^ *(?:missed|wrong|layer|false|cured|open|extra|invalid|better|worse)\b.*",
        "names of cases",
    ),
    ("tests/summaries/log_of_0_1_0/*", r".*", "a log of an older version"),
    ("CHANGELOG.md", r"`[^`]*`", "names that were replaced"),
    ("LICENSE", r".*", "not ours"),
)
SUFFIXES = {".py", ".md", ".ts", ".tsx", ".css", ".proto", ".toml", ".yml", ".html", ".json", ".js"}


def _files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    return [Path(name) for name in listed if Path(name).suffix in SUFFIXES and "package-lock" not in name]


def _exempted(file: Path, line: str) -> str:
    for glob, pattern, _ in EXEMPT:
        if glob == "*" or file.match(glob):
            line = re.sub(pattern, "", line)
    return line


@pytest.mark.parametrize("what", BANNED)
def test_none_of_the_replaced_words_is_left(what: str) -> None:
    found = []
    for file in _files():
        text = (ROOT / file).read_text("utf-8")
        if not re.search(BANNED[what], text):
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if re.search(BANNED[what], _exempted(file, line)):
                found.append(f"{file}:{number}: {line.strip()[:140]}")
    assert not found, f"{len(found)} lines:\n" + "\n".join(found[:60])


def test_a_pattern_that_finds_nothing_anywhere_would_be_no_test() -> None:
    """Each pattern finds the sentence that it was written for."""
    sentences = {
        "look as a noun (snapshot)": "since the first look",
        "told, tell (report, say, distinguish)": "what it is told",
        "unwell (faulty)": "exit 0 when none is unwell",
        "mend (fix)": "mend the initializers",
        "held (persisted)": "since when it has held",
        "maimed, thrown (died during training)": "maimed_loss of the maimed",
        "gathered (collected)": "a gathered probe",
        "is none, is no … (does not exist, is not a …)": "When there is none or it is none.",
        "whatever (any, the)": "whatever fails",
        "from which, up to which (above, below)": "loss from which it is high",
        "as they were drawn (initial)": "weights as they were drawn",
        "by far (a number)": "changed by far",
        "beside (next to, compared with)": "the file beside it",
        "restraints (regularization)": "restraints",
        "not such as (expected e.g.)": "is not such as a=1",
        "British spelling": "normalised",
    }
    assert sentences.keys() == BANNED.keys()
    for what, sentence in sentences.items():
        assert re.search(BANNED[what], sentence), what

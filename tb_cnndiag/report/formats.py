"""The formats of an outcome, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tb_cnndiag.report import github, json_format, junit, markdown, sarif, text
from tb_cnndiag.report.outcome import Outcome

FORMATS: Mapping[str, Callable[[Outcome], str]] = {
    "text": text.render,
    "json": json_format.render,
    "junit": junit.render,
    "sarif": sarif.render,
    "markdown": markdown.render,
    "github": github.render,
}

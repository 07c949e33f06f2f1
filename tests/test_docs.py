"""The pages name everything that exists, their links work as plain Markdown too, and their code runs."""

from __future__ import annotations

import argparse
import re
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from docs.check_links import broken
from tb_cnndiag import diagnostics
from tb_cnndiag.cli.options import parser
from tb_cnndiag.judging import faults

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = {path.name: path.read_text(encoding="utf-8") for path in sorted(DOCS.glob("*.md"))}
# Diagnostics that share a section with another one.
SHARED_SECTIONS = {
    "probe_images": "Feature maps",
    "probe_atlas": "Top patches",
    "model_input": "Input and output",
    "model_output": "Input and output",
}
FENCE = re.compile(r"^( *)```python\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def _commands() -> dict[str, argparse.ArgumentParser]:
    (commands,) = (a for a in parser()._actions if isinstance(a, argparse._SubParsersAction))
    return commands.choices


@pytest.mark.parametrize("kind", diagnostics.BUILTIN, ids=lambda kind: kind.name)
def test_each_diagnostic_has_a_section(kind: type[diagnostics.Diagnostic]) -> None:
    assert f"\n## {SHARED_SECTIONS.get(kind.name, kind.title)}\n" in PAGES["measures.md"]


@pytest.mark.parametrize("name", _commands())
def test_each_command_and_its_flags_are_on_a_page(name: str) -> None:
    text = "\n".join(PAGES.values())
    flags = {flag for action in _commands()[name]._actions for flag in action.option_strings if flag.startswith("--")}
    assert f"tb-cnndiag {name}" in text
    assert {flag for flag in flags - {"--help"} if not re.search(rf"{flag}\b", text)} == set()


@pytest.mark.parametrize(
    "module", ["tb_cnndiag", "tb_cnndiag.adjust", "tb_cnndiag.diagnostics", "tb_cnndiag.judging.faults"]
)
def test_each_public_name_is_on_the_api_page(module: str) -> None:
    public = set(import_module(module).__all__) - {"BUILTIN", "OF_PREFLIGHT", "available"}
    assert {name for name in public if f":: {module}.{name}\n" not in PAGES["api.md"]} == set()


@pytest.mark.parametrize("page", PAGES)
def test_links_to_files_work_as_plain_markdown(page: str) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", PAGES[page])
    local = [target for target in targets if not re.match(r"[a-z]+:", target)]
    assert [target for target in local if not (DOCS / target).is_file()] == []


def test_every_page_is_in_the_contents() -> None:
    listed = re.findall(
        r"^(?:[^\n<]*<)?(\w+)>?$", "\n".join(re.findall(r"```{toctree}(.*?)```", PAGES["index.md"], re.S)), re.M
    )
    assert {f"{name}.md" for name in listed} == PAGES.keys() - {"index.md"}


def test_the_code_on_how_to_extend_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    modules = {}
    for indent, block in FENCE.findall(PAGES["extending.md"]):
        code = re.sub(rf"^{indent}", "", block, flags=re.MULTILINE)
        if not (path := re.match(r"# (\S+)\.py\n", code)):
            continue
        module = ModuleType(path[1].replace("/", "."))
        monkeypatch.setitem(sys.modules, module.__name__, module)
        exec(compile(code, f"{path[1]}.py", "exec"), vars(module))
        modules[module.__name__.rpartition(".")[2]] = module
    fault = modules["exploding_spectrum"].ExplodingSpectrum
    others = tuple(kind for kind in faults.BUILTIN if kind.id != fault.id)
    monkeypatch.setattr("tb_cnndiag.judging.judge.available", lambda: (*others, fault))
    tests = [value for module in modules.values() for name, value in vars(module).items() if name.startswith("test_")]
    assert len(tests) == 4
    for test in tests:
        test()


def test_broken_links_of_a_site_are_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text('<h1 id="top">A</h1><a href="b.html#end"></a><a href="https://example.org"></a>')
    (tmp_path / "b.html").write_text('<a href="a.html#top"></a><img src="none.png"><iframe src="../b.html"></iframe>')
    assert broken(tmp_path) == ["a.html: b.html#end", "b.html: ../b.html", "b.html: none.png"]

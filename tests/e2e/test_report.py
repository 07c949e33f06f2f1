"""The report page in a real Chromium, from a file, with and without scripts."""

from __future__ import annotations

from typing import Any

import pytest

from tb_cnndiag.report.html import report
from tests.e2e.conftest import AXE


@pytest.fixture(scope="module")
def address(demo_logdir: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(report(demo_logdir), encoding="utf-8")
    return path.as_uri()


def _opened(browser: Any, address: str, **options: Any) -> tuple[Any, list[str]]:
    page = browser.new_page(**options)
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    return page, errors


def test_the_page_works_from_a_file(browser: Any, address: str) -> None:
    page, errors = _opened(browser, address)
    page.get_by_text("conv2: all 32 units never fire").first.wait_for()
    page.get_by_role("button", name="Show in the layer").first.click()
    page.get_by_role("heading", name="conv2").wait_for()
    page.locator("canvas").first.wait_for()
    assert not page.locator("main.static").count()
    assert errors == []
    page.close()


def test_findings_read_without_scripts(browser: Any, address: str) -> None:
    page, _ = _opened(browser, address, java_script_enabled=False)
    assert page.get_by_text("conv2: all 32 units never fire").is_visible()
    assert page.get_by_role("heading", name="error: Dead units in conv2").is_visible()
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser: Any, address: str, scheme: str) -> None:
    page, _ = _opened(browser, address, color_scheme=scheme, bypass_csp=True)
    page.get_by_text("conv2: all 32 units never fire").first.wait_for()
    page.add_script_tag(content=AXE.read_text())
    found = page.evaluate("() => axe.run().then(r => r.violations.map(v => `${v.id}: ${v.nodes[0].html}`))")
    assert found == []
    page.close()

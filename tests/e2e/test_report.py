"""The report page in a real Chromium, from a file, with and without scripts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tb_cnndiag.report.html import report
from tests.e2e.conftest import AXE
from tests.e2e.made_log import write


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
    page.get_by_text("All 32 units of conv2 are dead").first.wait_for()
    page.get_by_role("button", name="Show in the layer").first.click()
    page.get_by_role("heading", name="conv2").wait_for()
    page.locator("canvas").first.wait_for()
    assert not page.locator("main.static").count()
    assert errors == []
    page.close()


def test_findings_read_without_scripts(browser: Any, address: str) -> None:
    page, _ = _opened(browser, address, java_script_enabled=False)
    assert page.get_by_text("All 32 units of conv2 are dead").is_visible()
    assert page.get_by_role("heading", name="error: Dead units in conv2").is_visible()
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser: Any, address: str, scheme: str) -> None:
    page, _ = _opened(browser, address, color_scheme=scheme, bypass_csp=True)
    page.get_by_text("All 32 units of conv2 are dead").first.wait_for()
    page.add_script_tag(content=AXE.read_text())
    found = page.evaluate("() => axe.run().then(r => r.violations.map(v => `${v.id}: ${v.nodes[0].html}`))")
    assert found == []
    page.close()


def test_a_layer_opens_by_its_address_and_the_runs_compare(browser: Any, address: str) -> None:
    page, errors = _opened(browser, f"{address}#screen=layer&layer=conv2&run=faulty")
    page.get_by_role("heading", name="conv2").wait_for()
    page.locator("canvas").first.wait_for()
    page.get_by_role("button", name="Overview").first.click()
    page.get_by_text("Layers over steps").first.wait_for()
    page.get_by_role("button", name="Compare").click()
    page.wait_for_function("() => location.hash.includes('compare')")
    page.get_by_role("button", name="All layers").click()
    page.wait_for_function("() => location.hash.includes('relations')")
    assert errors == []
    page.close()


def test_nothing_is_asked_of_a_network(browser: Any, address: str) -> None:
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    page.get_by_text("All 32 units of conv2 are dead").first.wait_for()
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    page.close()


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1400, "dark")])
def test_without_scripts_it_fits_reads_and_passes_axe(browser: Any, address: str, width: int, scheme: str) -> None:
    page, _ = _opened(browser, address, java_script_enabled=False, viewport={"width": width, "height": 800})
    assert page.get_by_text("bias_initializer").first.is_visible()
    assert page.get_by_text("Loss and metrics").first.is_visible()
    assert page.get_by_text("Nothing found.").is_visible()
    content = page.content()
    page.close()
    # axe needs scripts: the same static part, with the page's own taken out.
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page.set_content(re.sub(r"<script.*?</script>|<meta http-equiv[^>]*>", "", content, flags=re.DOTALL))
    page.evaluate("() => document.querySelectorAll('details').forEach(each => { each.open = true; })")
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    page.add_script_tag(content=AXE.read_text())
    found = page.evaluate("() => axe.run().then(r => r.violations.map(v => `${v.id}: ${v.nodes[0].html}`))")
    assert found == []
    page.close()


def test_findings_read_under_the_policy_of_a_build_server(browser: Any, address: str) -> None:
    """Jenkins serves artifacts so by default: no scripts, no styles of the page."""
    page = browser.new_page()
    body = Path(address.removeprefix("file://")).read_text(encoding="utf-8")
    policy = "sandbox allow-same-origin; default-src 'none'; img-src 'self'; style-src 'self';"
    headers = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": policy}
    page.route("http://build.test/**", lambda route: route.fulfill(status=200, headers=headers, body=body))
    page.goto("http://build.test/report.html")
    assert page.get_by_role("heading", name="error: Dead units in conv2").is_visible()
    assert page.get_by_text("All 32 units of conv2 are dead").is_visible()
    page.close()


def test_it_prints_findings_and_numbers(browser: Any, address: str) -> None:
    page, errors = _opened(browser, address)
    page.get_by_text("All 32 units of conv2 are dead").first.wait_for()
    page.emulate_media(media="print")
    assert page.get_by_text("All 64 units of conv3 are dead").first.is_visible()
    assert not page.locator(".timebar").is_visible()
    assert errors == []
    page.close()


def test_what_was_left_out_is_named_below_the_charts(
    browser: Any, demo_logdir: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("report") / "small.html"
    path.write_text(report(demo_logdir, 0.6), encoding="utf-8")
    page, errors = _opened(browser, path.as_uri())
    page.get_by_text("All 32 units of conv2 are dead").first.wait_for()
    note = page.get_by_text("this page holds less than the log")
    note.scroll_into_view_if_needed()
    assert note.is_visible()
    assert errors == []
    page.close()


def test_axe_finds_nothing_on_the_page_of_a_layer(browser: Any, address: str) -> None:
    page, _ = _opened(browser, f"{address}#screen=layer&layer=conv2&run=healthy", bypass_csp=True)
    page.locator("canvas").first.wait_for()
    assert page.locator(".chip:has(input:checked) .chip-name").inner_text() == "healthy"
    page.add_script_tag(content=AXE.read_text())
    found = page.evaluate("() => axe.run().then(r => r.violations.map(v => `${v.id}: ${v.nodes[0].html}`))")
    assert found == []
    page.close()


def test_a_unit_whose_patches_do_not_fit_says_so(browser: Any, tmp_path: Path) -> None:
    write(tmp_path)
    whole = len(report(tmp_path).encode()) / 1e6
    path = tmp_path / "small.html"
    path.write_text(report(tmp_path, 0.5 * whole), encoding="utf-8")
    page, errors = _opened(browser, f"{path.as_uri()}#screen=unit&layer=body/conv_b&unit=19&run=healthy")
    page.get_by_text("the patches of this filter are left out").wait_for()
    assert page.get_by_text("makes room for more").is_visible()
    page.goto(f"{path.as_uri()}#screen=unit&layer=body/conv_b&unit=9&run=healthy")
    page.locator("#chart-unit-patches .unit-strong li").first.wait_for()
    assert errors == []
    page.close()

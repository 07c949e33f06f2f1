"""States in which there is little or nothing to show."""

from __future__ import annotations


def test_a_logdir_without_data_shows_the_lines_to_add(serve, open_tab, tmp_path):
    tab = open_tab(serve(tmp_path, runs=0))
    assert "CNNDiagnostics" in tab.find("pre").inner_text()
    assert tab.violations() == []


def test_an_unknown_layer_says_so_as_text(demo_server, open_tab):
    name = "<img src=x onerror=alert(1)>/../\u202eevil 🙂" + "x" * 200
    tab = open_tab(demo_server, {"screen": "layer", "layer": name})
    assert name in tab.find(".notice").inner_text()
    assert tab.find("img").count() == 0
    assert not tab.overflows()


def test_a_server_that_does_not_answer_is_reported(serve, demo_logdir, open_tab):
    server = serve(demo_logdir)
    tab = open_tab(server)
    server.process.terminate()
    server.process.wait()
    tab.find("#measure").select_option("update_ratio.update_ratio")
    tab.find(".failure").first.wait_for()
    assert "does not answer" in tab.find(".failure").first.inner_text()
    tab.errors.clear()


def test_loading_findings_are_not_reported_as_absent(made_server, open_tab):
    tab = open_tab(made_server, {"run": "healthy/cnndiag"})
    assert tab.find("aside .no-findings").inner_text() == "No fault found in this run."
    tab.page.route("**/measurements?*findings*", lambda route: None)
    tab.page.reload()
    tab.page.wait_for_function("() => document.querySelector('iframe')?.contentDocument?.querySelector('.no-findings')")
    assert tab.find("aside .no-findings").inner_text() == "Loading the findings …"
    assert tab.find("svg.healthy").count() == 0


def test_a_healthy_layer_of_a_faulty_run_has_a_check_mark(made_server, open_tab):
    tab = open_tab(made_server, {"run": "faulty/cnndiag", "screen": "layer", "layer": "stem/conv"})
    assert tab.find(".no-findings svg").get_attribute("class") == "severity healthy"

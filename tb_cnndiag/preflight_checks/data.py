"""Checks of the data alone."""

from __future__ import annotations

import hashlib
import itertools
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tb_cnndiag.finding import Adjustment, Evidence, Severity
from tb_cnndiag.preflight_checks.base import Check, Result, Subject, finding
from tb_cnndiag.wording import percent, plural

# Samples of the largest class for one of the smallest above which classes are imbalanced.
IMBALANCE = 10.0
# Changes of the class for each class above which samples are not sorted.
MOST_CHANGES = 2.0
# Bits of 64 by which perceptual hashes of the same picture differ at most; it must not be nearly constant.
SAME_PICTURE, LEAST_DETAIL = 2, 8
# Samples for the linear model and the nearest neighbors, folds, and the side of the downsampled images.
PROBED, FOLDS, SIDE = 1_200, 4, 8
# Standard deviations above chance at which labels say something about the samples.
INFORMATIVE = 3.0
# Fewest samples that decide whether labels say something.
FEWEST = 200


class Finite(Check):
    """NaN and infinity in inputs and targets."""

    name = "values that are not finite"
    fault = "nan_or_inf"

    def run(self, subject: Subject) -> Result:
        """Count samples with such values."""
        found = []
        for what, data in (("inputs", subject.x), ("targets", subject.y)):
            arrays = [a for a in keras.tree.flatten(data) if a is not None and a.dtype.kind == "f"]
            bad = [~np.isfinite(a.reshape(len(a), -1)).all(axis=1) for a in arrays]
            count = int(np.any(bad, axis=0).sum()) if bad else 0
            if count:
                share = count / subject.samples
                verb = "has" if count == 1 else "have"
                found.append(
                    finding(
                        "nan_or_inf",
                        f"{plural(count, 'sample')} of {subject.samples:,} {verb} NaN or infinity in their {what}.",
                        "error",
                        evidence={"share": Evidence(share, None, "share")},
                        adjustments=[Adjustment(None, "data", "NaN", "finite", "a single NaN ends the training")],
                    )
                )
        return Result.of(found)


class Fits(Check):
    """Shapes and axis order against the inputs that the model declares, and numbers of labels."""

    name = "shapes"
    fault = "data_mismatch"

    def run(self, subject: Subject) -> Result:
        """Compare the shape of a sample with that of each input."""
        y = [a for a in keras.tree.flatten(subject.y) if a is not None] if subject.y is not None else []
        for array in y:
            if len(array) != subject.samples:
                message = f"There are {subject.samples:,} samples, but {len(array):,} targets."
                return Result.of([finding("data_mismatch", message, "error")])
        expected = _declared(subject.model)
        arrays = keras.tree.flatten(subject.x)
        if not expected or len(expected) != len(arrays):
            return Result.skipped("the model declares no inputs of this structure")
        for array, shape in zip(arrays, expected, strict=True):
            given = tuple(array.shape[1:])
            if _fits(given, shape):
                continue
            message = f"A sample has the shape {given}, but the model takes {shape}."
            adjustments = []
            if len(given) == len(shape) == 3 and _fits((*given[1:], given[0]), shape):
                message = f"{message} Its channels come first."
                adjustments = [
                    Adjustment(
                        None, "axes", "channels first", "channels last", "np.moveaxis(x, 1, -1) brings them last"
                    )
                ]
            return Result.of([finding("data_mismatch", message, "error", adjustments=adjustments)])
        return Result.passed()


def _declared(model: Any) -> list[tuple[int | None, ...]]:
    try:
        return [tuple(tensor.shape[1:]) for tensor in model.inputs or ()]
    except (AttributeError, ValueError):
        return []


def _fits(given: tuple[int, ...], shape: tuple[int | None, ...]) -> bool:
    if len(given) == len(shape) - 1 and shape[-1] == 1:
        given = (*given, 1)
    if len(given) == len(shape) + 1 and given[-1] == 1:
        given = given[:-1]
    return len(given) == len(shape) and all(n in (None, m) for n, m in zip(shape, given, strict=True))


class Balanced(Check):
    """The number of samples of each class."""

    name = "the balance of the classes"
    fault = "imbalanced_classes"

    def run(self, subject: Subject) -> Result:
        """Compare the largest class with the smallest."""
        labels = subject.labels
        if not labels.size:
            return Result.skipped("the labels are no classes")
        counts = np.bincount(labels)
        counts = counts[counts > 0]
        if len(counts) < 2:
            message = f"All {subject.samples:,} samples have the same class."
            return Result.of([finding("imbalanced_classes", message, "warning")])
        ratio = float(counts.max() / counts.min())
        if ratio < IMBALANCE:
            return Result.passed()
        message = (
            f"The largest class has {int(counts.max()):,} samples, the smallest {int(counts.min()):,}: always "
            f"predicting the largest is right for {percent(float(counts.max() / counts.sum()))}."
        )
        evidence = {"ratio": Evidence(ratio, IMBALANCE, "ratio")}
        return Result.of([finding("imbalanced_classes", message, "info", evidence=evidence)])


class Shuffled(Check):
    """Whether samples are in the order of their classes."""

    name = "the order of the samples"
    fault = "sorted_data"

    def run(self, subject: Subject) -> Result:
        """Count how often the class changes from one sample to the next."""
        labels = subject.labels
        classes = len(np.unique(labels)) if labels.size else 0
        if classes < 2 or len(labels) < 8 * classes:
            return Result.skipped("the labels are no classes, or the samples too few")
        changes = int(np.count_nonzero(np.diff(labels)))
        if changes > MOST_CHANGES * (classes - 1):
            return Result.passed()
        message = (
            f"The {len(labels):,} samples are sorted: the class changes {changes:,} times. fit shuffles arrays unless "
            "shuffle=False, but no generator, and validation_split takes the last classes."
        )
        adjustment = Adjustment(None, "order", "sorted by class", "shuffled once", "each batch then has all classes")
        evidence = {"changes": Evidence(float(changes), MOST_CHANGES * (classes - 1), "count")}
        return Result.of([finding("sorted_data", message, "warning", evidence=evidence, adjustments=[adjustment])])


class Apart(Check):
    """The same images in training and validation, exactly or to the eye."""

    name = "samples in training and validation"
    fault = "leaking_samples"

    def run(self, subject: Subject) -> Result:
        """Compare digests of all samples, then perceptual hashes of images."""
        if subject.validation is None:
            return Result.skipped("there are no validation data")
        theirs = keras.tree.flatten(subject.validation[0])
        ours = keras.tree.flatten(subject.x)
        if len(ours) != len(theirs) or ours[0].shape[1:] != theirs[0].shape[1:]:
            return Result.skipped("training and validation data have different shapes")
        known = set(_digests(ours))
        exact = sum(digest in known for digest in _digests(theirs))
        near = _near(subject.images, theirs[0]) if not exact else 0
        count = exact or near
        if not count:
            return Result.passed()
        share = count / len(theirs[0])
        how = "exactly" if exact else "to the eye"
        message = f"{plural(count, 'validation sample')} of {len(theirs[0]):,} are {how} in the training data, too."
        evidence = {"share": Evidence(share, 0.01, "share")}
        severity: Severity = "warning" if share >= 0.01 else "info"
        return Result.of([finding("leaking_samples", message, severity, evidence=evidence)])


def _digests(arrays: list[Any]) -> list[bytes]:
    flat = [np.ascontiguousarray(a) for a in arrays]
    return [
        hashlib.blake2b(b"".join(a[i].tobytes() for a in flat), digest_size=16).digest() for i in range(len(flat[0]))
    ]


def _near(images: Any, others: Any) -> int:
    """Number of other images whose perceptual hash (dHash, 64 bits) nearly equals that of an image with detail."""
    if images is None:
        return 0
    others = others[..., None] if others.ndim == 3 else others
    ours, theirs = _hashes(images), _hashes(others)
    detailed = theirs[(theirs.sum(axis=1) >= LEAST_DETAIL) & (theirs.sum(axis=1) <= 64 - LEAST_DETAIL)]
    signs = 2.0 * ours - 1
    found = 0
    for start in range(0, len(detailed), 512):
        block = 2.0 * detailed[start : start + 512] - 1
        distance = (64 - block @ signs.T) / 2
        found += int((distance.min(axis=1, initial=64) <= SAME_PICTURE).sum())
    # Images of few kinds, such as drawn shapes, have equal hashes by their nature.
    among = (64 - signs[:512] @ signs[:512].T) / 2
    np.fill_diagonal(among, 64)
    alike = float((among.min(axis=1, initial=64) <= SAME_PICTURE).mean())
    return found if found > 2 * alike * len(detailed) else 0


def _hashes(images: Any) -> NDArray[np.float32]:
    gray = np.asarray(images, np.float32).mean(axis=-1)
    small = _shrunk(gray, 8, 9)
    return np.asarray((np.diff(small, axis=2) > 0).reshape(len(small), -1), np.float32)


def _shrunk(gray: Any, height: int, width: int) -> NDArray[np.float32]:
    """Means over blocks, ``(samples, height, width)``; images that are smaller are repeated."""
    rows = np.linspace(0, gray.shape[1], height + 1).astype(int)
    columns = np.linspace(0, gray.shape[2], width + 1).astype(int)
    bands = np.stack([gray[:, a : max(b, a + 1)].mean(axis=1) for a, b in itertools.pairwise(rows)], axis=1)
    cells = [bands[:, :, a : max(b, a + 1)].mean(axis=2) for a, b in itertools.pairwise(columns)]
    return np.asarray(np.stack(cells, axis=2), np.float32)


class Informative(Check):
    """Whether simple models of the samples predict the labels better than chance."""

    name = "whether labels belong to their samples"
    fault = "uninformative_labels"

    def run(self, subject: Subject) -> Result:
        """Cross-validate a linear model and nearest neighbors on downsampled samples."""
        labels, classes = subject.labels, len(np.unique(subject.labels)) if subject.labels.size else 0
        arrays = keras.tree.flatten(subject.x)
        if classes < 2 or len(arrays) != 1 or arrays[0].dtype.kind not in "iuf" or len(labels) < FEWEST:
            return Result.skipped("the labels are no classes, or the samples too few")
        rows = np.random.default_rng(0).permutation(subject.chosen(PROBED))
        features = _features(subject.images[rows] if subject.images is not None else arrays[0][rows])
        if not np.isfinite(features).all():
            return Result.skipped("the samples are not finite")
        target = np.unique(labels[rows], return_inverse=True)[1]
        best, chance = _accuracy(features, target)
        deviation = np.sqrt(chance * (1 - chance) / len(rows))
        score = (best - chance) / max(float(deviation), 1e-9)
        if score >= INFORMATIVE:
            return Result.passed()
        message = (
            f"Neither a linear model of the samples nor nearest neighbors predict the labels better than chance: "
            f"{percent(best)} against {percent(chance)}."
        )
        evidence = {
            "deviations": Evidence(score, INFORMATIVE, "deviations"),
            "samples": Evidence(float(len(rows)), None, "count"),
        }
        adjustment = Adjustment(None, "labels", "unrelated", "those of their samples", "shuffled labels are memorized")
        return Result.of(
            [finding("uninformative_labels", message, "warning", evidence=evidence, adjustments=[adjustment])]
        )


def _features(samples: Any) -> NDArray[np.float64]:
    """Downsampled values, their squares, and magnitudes of the spectrum: what a simple model can use, standardized."""
    values = np.asarray(samples, np.float64)
    if values.ndim == 4:
        gray = values.mean(axis=-1)
        side = (min(SIDE, gray.shape[1]), min(SIDE, gray.shape[2]))
        spectrum = np.abs(np.fft.rfft2(gray))[:, : side[0], : side[1]]
        channels = values.mean(axis=(1, 2))
        moments = np.concatenate([channels, values.std(axis=(1, 2))], axis=1)
        parts = [_shrunk(gray, *side), spectrum, moments]
    else:
        flat = values.reshape(len(values), -1)
        keep = np.linspace(0, flat.shape[1] - 1, min(flat.shape[1], 128)).astype(int)
        parts = [flat[:, keep], np.abs(np.fft.rfft(flat, axis=1))[:, :64], flat.std(axis=1)[:, None]]
    columns = np.concatenate([part.reshape(len(values), -1) for part in parts], axis=1)
    return np.asarray((columns - columns.mean(axis=0)) / (columns.std(axis=0) + 1e-9))


def _accuracy(features: NDArray[np.float64], target: NDArray[np.int64]) -> tuple[float, float]:
    """(better cross-validated accuracy of ridge regression and of 5 nearest neighbors, share of the largest class)."""
    one_hot = np.eye(int(target.max()) + 1)[target]
    fold = np.arange(len(target)) % FOLDS
    linear, nearest = np.zeros(len(target), int), np.zeros(len(target), int)
    for number_ in range(FOLDS):
        train, test = fold != number_, fold == number_
        a = np.concatenate([features[train], np.ones((int(train.sum()), 1))], axis=1)
        b = np.concatenate([features[test], np.ones((int(test.sum()), 1))], axis=1)
        gram = a.T @ a + 0.1 * len(a) * np.eye(a.shape[1])
        linear[test] = (b @ np.linalg.solve(gram, a.T @ one_hot[train])).argmax(axis=1)
        distance = -2 * features[test] @ features[train].T + np.square(features[train]).sum(axis=1)
        near = np.argpartition(distance, 5, axis=1)[:, :5]
        nearest[test] = one_hot[train][near].sum(axis=1).argmax(axis=1)
    best = max(float((guess == target).mean()) for guess in (linear, nearest))
    return best, float(np.bincount(target).max() / len(target))


CHECKS: tuple[Check, ...] = (Fits(), Finite(), Balanced(), Shuffled(), Apart(), Informative())

"""The batches that a loss is called with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tb_cnndiag.numerics.loss_facts import loss_facts


@pytest.mark.parametrize(
    ("shape", "target", "fits"),
    [
        ((4,), (4,), True), ((4,), (), True), ((4,), (1,), True), ((4,), (2,), False), ((4,), (4, 1), False),
        ((1,), (), True), ((1,), (1,), True), ((1,), (2,), False), ((), (), True), ((), (1,), True), ((), (2,), False),
        ((6, 5, 3), (6, 5, 3), True), ((6, 5, 3), (6, 5), True), ((6, 5, 3), (6, 5, 1), True),
        ((6, 5, 3), (6, 3), False), ((6, 5, 3), (3,), False), ((6, 5, 1), (6, 5), True), ((6, 5, 1), (6, 1), False),
        ((9,), (9,), True), ((30,), (), True), ((2,), (2,), True), ((3,), (3,), True),
    ],
)  # fmt: skip
def test_what_is_given_to_a_loss(shape: tuple[int, ...], target: tuple[int, ...], fits: bool) -> None:
    """Batches of the shapes of the model, with equally many samples of each class (of the first 8): at least 4.

    Outputs are small numbers, from −5 to 5; a single one up to 1 − −5.
    """
    seen: list[tuple[Any, Any]] = []

    def loss(y: Any, p: Any) -> float:
        seen.append((y, p))
        return float(np.square(y.reshape(len(y), -1).sum(axis=1) - 0.3 * p.reshape(len(p), -1).sum(axis=1)).mean())

    found = loss_facts(loss, shape, target)
    assert found.unknown == ("" if fits else "targets have another shape than outputs")
    assert len(seen) <= (100 if fits else 0)
    classes = shape[-1] if shape else 1
    fewest = 8 if classes > 8 else min(n for n in range(4, 20) if n % max(classes, 1) == 0)
    for y, p in seen:
        assert (y.dtype, p.dtype) == (np.float32, np.float32)
        assert (y.shape[1:], p.shape[1:]) == (target, shape)
        assert len(y) == len(p)
        assert -5 <= p.min() <= p.max() <= (6 if classes == 1 else 5)
        assert len(y) in (fewest, 2 * fewest)
        flat = y.reshape(len(y), -1)
        if classes == 1 or target != shape:
            assert (flat == flat[:, :1]).all()
            numbers = flat[:, 0]
        else:
            per_position = y.reshape(len(y), -1, classes)
            assert (per_position == per_position[:, :1]).all()
            numbers = per_position[:, 0].argmax(axis=1)
        if set(np.unique(y)) <= set(range(30)):
            _, counts = np.unique(numbers, return_counts=True)
            assert len(set(counts.tolist())) == 1
            assert len(counts) == (2 if classes == 1 else min(classes, 8))
    if fits:
        assert {len(y) for y, _ in seen} == {fewest, 2 * fewest}

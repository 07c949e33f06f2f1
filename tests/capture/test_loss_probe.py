"""Losses of the user are called to learn what they need, and nothing notices: state, random numbers, console."""

from __future__ import annotations

import functools
import itertools
import random
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from tb_cnndiag.capture import loss_probe
from tb_cnndiag.capture.loss_probe import LossProbe, own_loss, probed
from tb_cnndiag.payloads import LossFacts, Targets

BACKEND = keras.backend.backend()
CALLS = 0
SEEN: list[float] = []


def cross_entropy(y: Any, p: Any) -> Any:
    return -keras.ops.sum(y * keras.ops.log(p + 1e-7), axis=-1)


def of_logits(y: Any, z: Any) -> Any:
    return cross_entropy(y, keras.ops.softmax(z))


def counted(y: Any, p: Any) -> Any:
    global CALLS
    CALLS += 1
    SEEN.append(CALLS)
    return cross_entropy(y, p)


class Own(keras.losses.Loss):
    """A loss with numbers of its own."""

    made = 0

    def __init__(self) -> None:
        super().__init__()
        self.calls, self.history, self.scale = 0, np.zeros(3), {"of": 2.0}

    def call(self, y: Any, p: Any) -> Any:
        self.calls += 1
        self.history += 1
        self.scale["last"] = 1.0
        type(self).made += 1
        return self.scale["of"] * cross_entropy(y, p)


def facts(loss: Any, shape: tuple[int, ...] = (4,), target: tuple[int, ...] | None = None) -> LossFacts:
    return probed(loss, shape, shape if target is None else target)


def known(loss: Any) -> None:
    found = facts(loss)
    assert (found.unknown, found.same_as) == ("", "categorical_crossentropy")


def compiled(loss: Any, outputs: int = 1) -> Any:
    x = keras.Input((3,))
    heads = [keras.layers.Dense(4, activation="softmax", name=f"head{i}")(x) for i in range(outputs)]
    model = keras.Model(x, heads if outputs > 1 else heads[0])
    model.compile("sgd", loss)
    return model


def table_facts(model: Any, target: tuple[int, ...] = (4,)) -> LossFacts | None:
    return LossProbe().facts(model, (), Targets(target))


@pytest.mark.parametrize(
    "loss",
    [
        cross_entropy,
        lambda y, p: cross_entropy(y, p),
        functools.partial(keras.losses.categorical_crossentropy, from_logits=False),
        functools.partial(cross_entropy),
        keras.losses.LossFunctionWrapper(cross_entropy)
        if hasattr(keras.losses, "LossFunctionWrapper")
        else cross_entropy,
    ],
)
def test_functions_and_objects_are_called(loss: Any) -> None:
    known(loss)
    assert facts(loss).from_logits is False
    assert facts(lambda y, p: loss(y, keras.ops.softmax(p))).from_logits is True


def test_counters_and_lists_of_a_function_stay_as_they_are() -> None:
    inner = {"calls": 0}
    count = 0

    def closed_over(y: Any, p: Any) -> Any:
        nonlocal count
        count += 1
        inner["calls"] += 1
        closed_over.calls += 1  # type: ignore[attr-defined]
        return cross_entropy(y, p)

    closed_over.calls = 0  # type: ignore[attr-defined]
    known(counted)
    known(closed_over)
    assert (CALLS, SEEN) == (0, [])
    assert (count, inner, closed_over.calls) == (0, {"calls": 0}, 0)  # type: ignore[attr-defined]


def test_everything_that_code_can_reach_is_put_back() -> None:
    numbers, names, weights = [1, 2], {"a", "b"}, np.ones(3, np.float32)
    nested: dict[str, Any] = {"inner": {"list": [1]}}

    def changing(y: Any, p: Any) -> Any:
        numbers.append(3)
        numbers[0] = 7
        names.discard("a")
        names.add("c")
        nested["inner"]["list"].append(2)
        nested["new"] = 1
        weights[:] = 0
        return cross_entropy(y, p)

    known(changing)
    assert (numbers, names, nested) == ([1, 2], {"a", "b"}, {"inner": {"list": [1]}})
    np.testing.assert_array_equal(weights, 1)


def test_an_object_stays_as_it_is() -> None:
    loss = Own()
    found = facts(loss)
    assert found.factor == pytest.approx(2, rel=1e-3)
    assert (loss.calls, loss.history.tolist(), loss.scale, Own.made) == (0, [0.0] * 3, {"of": 2.0}, 0)


def _with(**attributes: Any) -> Any:
    loss = Own()
    for name, value in attributes.items():
        setattr(loss, name, value)
    return loss


@pytest.mark.parametrize(
    ("loss", "reason"),
    [
        (lambda: _with(weight=keras.Variable(1.0)), "variable"),
        (lambda: _with(seed=keras.random.SeedGenerator(1)), "SeedGenerator"),
        (lambda: _with(net=keras.Sequential([keras.layers.Dense(2)])), "Sequential"),
        (lambda: _with(numbers=itertools.count()), "count"),
        (lambda: _with(drawn=np.random.default_rng(0)), "Generator"),
        (lambda: _closing_over(random.Random(1)), "Random"),
        (lambda: _closing_over(keras.Variable(1.0)), "variable"),
        (lambda: _closing_over(iter([1, 2])), "iterator"),
        (lambda: _printing, "print"),
        (lambda: _raising, "ValueError"),
        (lambda: _closing_over(np.zeros(1 << 24)), "large"),
        (lambda: _closing_over(list(range(20_000))), "large"),
    ],
)
def test_what_is_not_called_and_why(loss: Callable[[], Any], reason: str, capfd: Any) -> None:
    made = loss()
    found = facts(made)
    assert reason in found.unknown
    assert found == LossFacts(found.unknown)
    printed = capfd.readouterr()
    assert "loss is" not in printed.out + printed.err


def _closing_over(value: Any) -> Any:
    return lambda y, p: cross_entropy(y, p) + 0 * len(str(value))


def _printing(y: Any, p: Any) -> Any:
    print("the loss is called")
    return cross_entropy(y, p)


RAISED: list[int] = []


def _raising(y: Any, p: Any) -> Any:
    raise ValueError("not today")


def test_a_loss_that_raises_is_called_once_for_each_compilation(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(loss_probe, "loss_facts", lambda *a: calls.append(1) or LossFacts("it raises"))
    probe, model = LossProbe(), compiled(_raising)
    for _ in range(3):
        assert probe.facts(model, (), Targets((4,))) == LossFacts("it raises")
    assert len(calls) == 1
    model.compile("sgd", lambda y, p: _raising(y, p))
    probe.facts(model, (), Targets((4,)))
    assert len(calls) == 2


def test_a_loss_that_takes_long_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    time = itertools.count(0, 1.5)
    monkeypatch.setattr(loss_probe, "clock", lambda: next(time))
    assert "long" in facts(cross_entropy).unknown


def _random(y: Any, p: Any) -> Any:
    noise = keras.random.normal((1,)) + np.random.random() + random.random()
    return cross_entropy(y, p) + 0.0 * noise


@pytest.mark.parametrize("drawn_before", [False, True])
def test_random_numbers_stay_the_same(drawn_before: bool) -> None:
    def draws(probe: bool) -> list[Any]:
        keras.utils.set_random_seed(5)
        first = [keras.random.normal((2,))] if drawn_before else []
        if probe:
            assert (facts(_random).unknown == "") == (BACKEND != "jax")  # which wants a seed inside a step
        drawn = [*first, keras.random.normal((2,)), np.random.random(2), random.random(), *_of_backend()]
        return [np.asarray(keras.ops.convert_to_numpy(each)) for each in drawn]

    for bare, probed_ in zip(draws(False), draws(True), strict=True):
        np.testing.assert_array_equal(bare, probed_)


def _of_backend() -> list[Any]:
    if BACKEND == "tensorflow":
        import tensorflow as tf

        return [tf.random.normal((2,)), tf.random.normal((2,), seed=3)]
    if BACKEND == "torch":
        import torch

        return [torch.rand(2)]
    return []


@pytest.mark.skipif(BACKEND != "tensorflow", reason="TensorFlow's own generators")
def test_the_generators_of_tensorflow_stay_the_same() -> None:
    import tensorflow as tf

    def drawing(y: Any, p: Any) -> Any:
        noise = tf.random.uniform((1,)) + tf.random.uniform((2,), seed=3)[:1]
        noise += tf.random.get_global_generator().normal((1,))
        return cross_entropy(y, p) + 0.0 * noise

    def draws(probe: bool) -> list[Any]:
        tf.random.set_seed(5)
        tf.random.set_global_generator(tf.random.Generator.from_seed(1))
        if probe:
            known(drawing)
        drawn = tf.random.uniform((2,)), tf.random.uniform((2,), seed=3), tf.random.get_global_generator().normal((2,))
        return [each.numpy() for each in drawn]

    for bare, probed_ in zip(draws(False), draws(True), strict=True):
        np.testing.assert_array_equal(bare, probed_)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="compiled by TensorFlow")
def test_a_compiled_function_is_not_traced_anew() -> None:
    import tensorflow as tf

    traced = []

    @tf.function
    def loss(y: Any, p: Any) -> Any:
        traced.append(1)
        return cross_entropy(y, p)

    known(loss)
    assert not traced


def test_which_losses_are_those_of_the_user() -> None:
    for loss in ("mse", keras.losses.MeanSquaredError(), keras.losses.binary_crossentropy, ["mse"], {"head0": "mse"}):
        assert own_loss(compiled(loss)) is None
    for loss in (cross_entropy, [cross_entropy], {"head0": cross_entropy}):
        assert own_loss(compiled(loss)) is cross_entropy
    own = Own()
    assert own_loss(compiled([own])) is own


def test_a_loss_named_as_one_of_keras_is_judged_by_its_numbers() -> None:
    def categorical_crossentropy(y: Any, p: Any) -> Any:
        return of_logits(y, p)

    found = table_facts(compiled(categorical_crossentropy))
    assert found is not None
    assert (found.same_as, found.from_logits) == ("categorical_crossentropy", True)


def test_several_outputs_or_losses_and_unknown_targets_are_left() -> None:
    assert table_facts(compiled([cross_entropy, "mse"], outputs=2)) is None
    assert LossProbe().facts(compiled(cross_entropy), (), None) is None
    assert table_facts(compiled("mse")) is None


def test_an_output_of_unknown_size() -> None:
    x = keras.Input((None, None, 2))
    model = keras.Model(x, keras.layers.Conv2D(3, 1, activation="softmax")(x))
    model.compile("sgd", cross_entropy)
    found = LossProbe().facts(model, (), Targets((30, 20, 3)))
    assert found is not None
    assert found.same_as == "categorical_crossentropy"
    assert "large" in probed(cross_entropy, (4096, 4096, 3), (4096, 4096, 3)).unknown

"""Heads that do not fit their loss, and answers that have collapsed."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import losses, regularizers

from benchmarks.faults import symptoms as shows
from benchmarks.faults.case import Case, Trial, trial
from benchmarks.faults.data import load
from benchmarks.faults.known.make import LOW
from benchmarks.faults.networks import plain


def _one_hot(classes: int) -> Any:
    return lambda y: np.eye(classes, dtype="float32")[y]


def _head(name: str, loss: Any, head: Any, units: int | None, y: Any = lambda y: y, **options: Any) -> Trial:
    model = plain(load(name), head=head, units=units)
    return trial(load(name), model, loss=loss, y=y, epochs=5, **options)


def _is_even(y: Any) -> Any:
    return (y % 2 == 0).astype("float32")


OUTPUT = [
    Case(label, make, symptom, "output_loss_mismatch", ("head",))
    for label, make, symptom in [
        (
            "head: softmax of one unit on digits",
            lambda: _head("digits", "binary_crossentropy", "softmax", 1, _is_even),
            shows.at_chance,
        ),
        (
            "head: logits taken for probabilities on mnist",
            lambda: _head("mnist", "sparse_categorical_crossentropy", None, None),
            shows.always,
        ),
        (
            "head: rectified scores on digits",
            lambda: _head("digits", losses.SparseCategoricalCrossentropy(from_logits=True), "relu", None),
            shows.always,
        ),
        (
            "head: one sigmoid for ten classes on mnist",
            lambda: _head("mnist", "binary_crossentropy", "sigmoid", 1),
            LOW,
        ),
        (
            "head: tanh with binary cross-entropy on shapes",
            lambda: _head("shapes", "binary_crossentropy", "tanh", 1, _is_even),
            shows.always,
        ),
        (
            "head: linear with binary cross-entropy on digits",
            lambda: _head("digits", "binary_crossentropy", None, 1, _is_even),
            shows.always,
        ),
        (
            "head: softmax with binary cross-entropy on shapes",
            lambda: _head("shapes", "binary_crossentropy", "softmax", None, _one_hot(4)),
            shows.always,
        ),
        (
            "head: relu with categorical cross-entropy on shapes",
            lambda: _head("shapes", "categorical_crossentropy", "relu", None, _one_hot(4)),
            shows.always,
        ),
        (
            "head: sigmoids with sparse cross-entropy from logits on digits",
            lambda: _head("digits", losses.SparseCategoricalCrossentropy(from_logits=True), "sigmoid", None),
            shows.always,
        ),
        (
            "head: tanh scores with categorical cross-entropy on mnist",
            lambda: _head("mnist", "categorical_crossentropy", "tanh", None, _one_hot(10)),
            LOW,
        ),
    ]
]


COLLAPSED = [
    Case(
        f"collapsed: {label} on {name}",
        lambda name=name, options=options, penalty=penalty: trial(
            load(name), plain(load(name), regularizer=penalty), epochs=6, **options
        ),
        shows.one_answer,
        "collapsed_output",
        ("head",),
        also,
    )
    for name, label, options, penalty, also in [
        ("digits", "L2 of 10", {}, regularizers.L2(10.0), ("dead_units",)),
        ("mnist", "class weight 1000", {"class_weight": {i: 1000.0 if i == 3 else 1.0 for i in range(10)}}, None, ()),
        ("shapes", "class weight 3000", {"class_weight": {i: 3000.0 if i == 1 else 1.0 for i in range(4)}}, None, ()),
    ]
]

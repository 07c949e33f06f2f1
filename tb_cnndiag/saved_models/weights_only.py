"""A model that holds the weights of a file and cannot be called: enough to audit the weights."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import h5py
import keras
import numpy as np
from numpy.typing import NDArray

_CONVOLUTIONS = {3: "Conv1D", 4: "Conv2D", 5: "Conv3D"}


class NoKernelsError(ValueError):
    """The file has no kernels; the message says what it has."""


def weights_only(file: h5py.Group, name: str) -> Any:
    """A model of unconnected layers with the kernels of a weights file, and their biases.

    Raises:
        NoKernelsError: If the file has none.
    """
    layers = [layer for path, arrays in _groups(file) if (layer := _layer(path, arrays)) is not None]
    if not layers:
        found = ", ".join(list(file)[:5]) or "nothing"
        raise NoKernelsError(f"the HDF5 file has no weights of layers with a kernel (it has {found}).")
    return _Weights(layers, name=re.sub(r"[^\w.-]", "_", name) or "weights")


class _Weights(keras.Model):
    def __init__(self, parts: Sequence[Any], name: str) -> None:
        super().__init__(name=name)
        self.parts = list(parts)
        self.built = True

    def call(self, inputs: Any) -> Any:
        raise NotImplementedError("the file has weights without a model: how its layers are connected is not known")


def _groups(file: h5py.Group) -> Iterator[tuple[str, dict[str, NDArray[Any]]]]:
    """(path, arrays by name) of each group that has arrays, in the order of the file's list of layers if it has one."""
    root = file.get("model_weights", file)
    names = [n.decode() if isinstance(n, bytes) else str(n) for n in root.attrs.get("layer_names", ())]
    starts = [(name, root[name]) for name in names if name in root] or [("", root)]
    for start, group in starts:
        if not isinstance(group, h5py.Group):
            continue
        found: dict[str, dict[str, NDArray[Any]]] = {}
        order: list[str] = []

        def visit(
            path: str, item: Any, found: dict[str, dict[str, NDArray[Any]]] = found, order: list[str] = order
        ) -> None:
            if isinstance(item, h5py.Dataset) and item.dtype.kind in "fiu" and not path.startswith("optimizer"):
                home, _, name = path.rpartition("/")
                if home not in found:
                    order.append(home)
                found.setdefault(home, {})[name] = np.asarray(item)

        group.visititems(visit)
        for home in sorted(order, key=_natural) if not start else order:
            owner = group[home] if home else group
            label = owner.attrs.get("name")  # Keras 3 stores the name of the layer here
            given = label.decode() if isinstance(label, bytes) else label
            yield _path(start, home, given), found[home]


def _natural(path: str) -> list[Any]:
    """Sorts ``conv2d_10`` behind ``conv2d_9``, and ``conv2d`` before ``conv2d_1``."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", path)]


def _path(start: str, home: str, given: str | None) -> str:
    parts = [
        part for part in home.split("/") if part and part not in ("layers", "vars", "_layer_checkpoint_dependencies")
    ]
    if given and parts:
        parts[-1] = given
    if start and (not parts or parts[0] == start):
        parts = parts or [start]
    elif start:
        parts = [start, *parts]
    return "/".join(dict.fromkeys(parts)) or given or "layer"


def _layer(path: str, arrays: dict[str, NDArray[Any]]) -> Any:
    """A Keras layer with the kernel and bias of one group; None if it has no kernel."""
    matrices = [(name, array) for name, array in arrays.items() if array.ndim >= 2 and 0 not in array.shape]
    if not matrices:
        return None
    name, kernel = next((each for each in matrices if "pointwise" in each[0]), matrices[0])
    if len(matrices) > 1 and "pointwise" not in name and any("recurrent" in other for other, _ in matrices):
        return None
    depthwise = "depthwise" in name or ("depthwise" in path.lower() and kernel.ndim == 4)
    transposed = "transpose" in path.lower() and kernel.ndim in _CONVOLUTIONS
    units = kernel.shape[-2] if transposed else kernel.shape[-1]
    if depthwise:
        units = kernel.shape[-2] * kernel.shape[-1]
    bias = next((a for n, a in arrays.items() if a.ndim == 1 and len(a) == units and ("bias" in n or n == "1")), None)
    layer = _made(path, kernel, depthwise=depthwise, transposed=transposed, bias=bias is not None)
    if layer is None:
        return None
    layer.set_weights([kernel] if bias is None else [kernel, bias])
    return layer


def _made(path: str, kernel: NDArray[Any], *, depthwise: bool, transposed: bool, bias: bool) -> Any:
    options = {"name": path.replace("/", "."), "use_bias": bias}
    window = kernel.shape[:-2]
    if kernel.ndim == 2:
        layer = keras.layers.Dense(kernel.shape[-1], **options)
        layer.build((None, kernel.shape[0]))
        return layer
    if kernel.ndim not in _CONVOLUTIONS:
        return None
    kind = _CONVOLUTIONS[kernel.ndim]
    if depthwise and kernel.ndim in (3, 4):
        layer = getattr(keras.layers, f"Depthwise{kind}")(window, depth_multiplier=kernel.shape[-1], **options)
        channels = kernel.shape[-2]
    elif transposed:
        layer = getattr(keras.layers, f"{kind}Transpose")(kernel.shape[-2], window, **options)
        channels = kernel.shape[-1]
    else:
        layer = getattr(keras.layers, kind)(kernel.shape[-1], window, **options)
        channels = kernel.shape[-2]
    layer.build((None, *([None] * len(window)), channels))
    return layer

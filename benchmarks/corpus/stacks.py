"""Networks that are one stack of layers: convolutions with pooling, dense layers, a head."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers

from benchmarks.corpus.data import Data
from benchmarks.corpus.lazy import Network, network


@dataclass(frozen=True)
class Style:
    """How a family of stacks names its layers, and where families differ.

    Names are formats of the layer's own ``name``, its index ``i``, its block ``b`` and its index ``j`` there; None
    stands for Keras' default name.
    """

    conv: str | None = None
    norm: str | None = None
    act: str | None = None
    pool: str | None = None
    hidden: str | None = None
    head: str | None = None
    flatten: str | None = None
    functional: bool = False
    pools: int | None = None  # pool behind so many blocks only
    apart: bool = False  # activations of convolutions are layers
    norm_hidden: bool = False  # dense layers are normalized like convolutions
    one_unit: bool = False  # two classes share one sigmoid
    momentum: float = 0.9


def normalization(norm: Any, name: str | None, momentum: float = 0.9) -> Any:
    """``"batch"``, ``"group"`` (of 4), ``"layer"``, or made by a function of the name."""
    if norm == "batch":
        return layers.BatchNormalization(momentum=momentum, name=name)
    if norm == "group":
        return layers.GroupNormalization(4, name=name)
    return layers.LayerNormalization(name=name) if norm == "layer" else norm(name=name)


def stack(
    style: Style,
    data: Data,
    *,
    widths: Sequence[int | tuple[int, ...]] = (16, 32),
    each: int = 1,
    hidden: Sequence[int] = (48,),
    size: int = 3,
    padding: str = "same",
    activation: Any = "relu",
    init: Any = "he_normal",
    bias: bool = True,
    penalty: Any = None,
    norm: Any = None,
    norm_last: bool = False,
    act: Callable[..., Any] | None = None,
    pooling: str = "Max",
    pools: int | None = None,
    flat: bool = True,
    dropout: float = 0.0,
    units: int | None = None,
    head: Any = "auto",
    before: Sequence[Any] = (),
    **of: Any,
) -> Any:
    """Blocks of convolutions over data of any dimension, each block pooled; dense layers; the head.

    ``widths`` has the filters of each block, of each of its ``each`` convolutions or one by one; ``pools`` limits how
    many blocks are pooled. ``norm`` is as for :func:`normalization`; ``act`` makes layers by name in place of
    ``activation``. ``flat`` flattens the maps, otherwise their means are taken. ``head`` is its activation, or options
    of it; ``before`` are layers in front. ``of`` has options of single layers by name; for an activation layer, what
    makes it.
    """
    rank = len(data.shape) - 1
    seen: Counter[str] = Counter()

    def weighted(kind: str, width: int, name: str | None, own: dict[str, Any], apart: bool, **at: int) -> list[Any]:
        name = name and name.format(**at)
        count, default = seen[kind], kind.lower()
        seen[kind] += 1
        usual = {"kernel_initializer": init, "kernel_regularizer": penalty, "activation": None if apart else activation}
        options = usual | own | of.get(name or (f"{default}_{count}" if count else default), {})
        layer = getattr(layers, kind)(width, name=name, **options)
        if not apart:
            return [layer]
        normed, acting = (part and part.format(name=name, **at) for part in (style.norm, style.act))
        norms = [normalization(norm, normed, style.momentum)] if norm else []
        make = of.get(acting or "", act)
        active = make(name=acting) if make else layers.Activation(activation, name=acting)
        return [layer, active, *norms] if norm_last else [layer, *norms, active]

    built = list(before)
    last = len(widths) if pools is None and style.pools is None else style.pools if pools is None else pools
    i = 0
    for b, block in enumerate(widths, 1):
        own = {"kernel_size": size, "padding": padding, "use_bias": bias}
        for j, width in enumerate((block,) * each if isinstance(block, int) else block, 1):
            i += 1
            apart = style.apart or bool(norm or act)
            built += weighted(f"Conv{rank}D", width, style.conv, own, apart, i=i, b=b, j=j)
        if last is None or b <= last:
            built.append(getattr(layers, f"{pooling}Pooling{rank}D")(2, name=style.pool and style.pool.format(b=b)))
    if rank:
        mean = f"GlobalAveragePooling{rank}D"
        built.append(layers.Flatten(name=style.flatten) if flat else getattr(layers, mean)())
    for i, width in enumerate(hidden, 1):
        built += weighted("Dense", width, style.hidden, {}, style.norm_hidden and bool(norm or act), i=i)
        built += [layers.Dropout(dropout)] if dropout else []
    built += [layers.Dropout(dropout)] if dropout and not hidden else []
    one = style.one_unit and data.classes <= 2
    usual = {"activation": (None if data.classes == 1 else "sigmoid") if one else "softmax"}
    own = head if isinstance(head, dict) else {} if head == "auto" else {"activation": head}
    built.append(layers.Dense(units or (1 if one else data.classes), name=style.head, **(usual | own)))
    if not style.functional:
        return keras.Sequential([keras.Input(data.shape), *built])
    inputs = x = keras.Input(data.shape)
    for layer in built:
        x = layer(x)
    return keras.Model(inputs, x)


def family(style: Style, **usual: Any) -> Callable[..., Network]:
    """Networks of a style, with what is usual for it."""

    def build(data: Data, **options: Any) -> Any:
        return stack(style, data, **(usual | options))

    return network(build)

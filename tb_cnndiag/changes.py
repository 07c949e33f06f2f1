"""Changes of a model or its training as types: faults propose them, ``adjust`` carries them out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal, TypeAlias

Value: TypeAlias = bool | int | float | str | None


@dataclass(frozen=True)
class SetParameter:
    """Set one entry of a layer's config.

    Attributes:
        layer: Path of the layer.
        parameter: As in ``get_config``; ``"activation"`` also means the activation layer that follows.
        value: As in ``get_config``: functions and initializers by their Keras names.
    """

    layer: str
    parameter: str
    value: Value

    @property
    def proposed(self) -> str:
        """The value as text."""
        return text_of(self.value)


@dataclass(frozen=True)
class InsertLayer:
    """Insert a layer next to another.

    Attributes:
        layer: Path of the layer that stays.
        parameter: ``"input"``: before the layer; ``"normalization"``: between the layer and its activation.
        class_name: Class in ``keras.layers``.
        config: Arguments of the class.
    """

    layer: str
    parameter: Literal["input", "normalization"]
    class_name: str
    config: Mapping[str, Value] = field(default_factory=dict, hash=False)

    @property
    def proposed(self) -> str:
        """The call that makes the layer; without arguments, the class."""
        arguments = ", ".join(f"{name}={text_of(value)}" for name, value in self.config.items())
        return f"{self.class_name}({arguments})" if arguments else self.class_name


@dataclass(frozen=True)
class ReplaceBatchNormalization:
    """Replace every BatchNormalization of the model by a GroupNormalization; ``layer`` is where the fault shows."""

    layer: str
    parameter: ClassVar[str] = "normalization"
    proposed: ClassVar[str] = "GroupNormalization"


@dataclass(frozen=True)
class SetTraining:
    """Set an argument of the optimizer or the loss; as ``loss`` itself, the name of another loss."""

    parameter: Literal["learning_rate", "clipnorm", "weight_decay", "from_logits", "loss"]
    value: bool | float | str
    layer: ClassVar[None] = None

    @property
    def proposed(self) -> str:
        """The value as text."""
        return text_of(self.value)


Change: TypeAlias = SetParameter | InsertLayer | ReplaceBatchNormalization | SetTraining


def text_of(value: Value) -> str:
    """A value as people write it: ``0.001``, ``he_normal``, ``True``."""
    return f"{value:g}" if isinstance(value, float) else str(value)

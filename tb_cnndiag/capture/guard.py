"""Keeps what observes a training from making it fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tb_cnndiag.warning import warn

FIRING = "The units that fire during training"
GRADIENTS = "The gradients of the training"
BATCHES = "The batches of the training"


def inputs_of(part: str) -> str:
    """What a part of the training is called with."""
    return f"The inputs of {part or 'the model'}"


class Guard:
    """Runs observations inside the steps of a training.

    One that fails is reported once and not made again; the step goes on.
    """

    def __init__(self) -> None:
        self._failed: set[str] = set()

    def failed(self, what: str) -> bool:
        """Whether this observation has failed before."""
        return what in self._failed

    def run(self, what: str, observe: Callable[..., object], *arguments: Any) -> None:
        """Call ``observe`` with the arguments; ``what`` says in a warning what it observes, in the plural."""
        if what in self._failed:
            return
        try:
            observe(*arguments)
        except Exception as error:  # of any kind: the user's step calls this
            self._failed.add(what)
            warn(
                f"{what} cannot be observed ({type(error).__name__}: {str(error)[:200]}). All other diagnostics "
                "continue."
            )

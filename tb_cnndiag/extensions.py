"""Extensions by other packages, through the entry-point groups ``tb_cnndiag.diagnostics`` and ``tb_cnndiag.faults``."""

from __future__ import annotations

from collections.abc import Collection
from importlib.metadata import entry_points
from typing import TypeVar

from tb_cnndiag.warning import warn

T = TypeVar("T")


def registered(group: str, kind: type[T], taken: Collection[str]) -> tuple[type[T], ...]:
    """Subclasses of ``kind`` that are registered in the group and whose name is not in ``taken``.

    An extension is left out with a warning if it cannot be loaded, is not a subclass of ``kind``, or cannot be created
    without arguments.
    """
    extensions: dict[str, type[T]] = {}
    for entry in entry_points(group=group):
        try:
            value = entry.load()
            if not (isinstance(value, type) and issubclass(value, kind)):
                raise TypeError(f"{value!r} is not a subclass of {kind.__name__}")
            value()
        except Exception as error:  # an error in another package must only affect its own extension
            warn(f"{entry.value!r}, registered as {group}, is left out ({type(error).__name__}: {error}).")
            continue
        name = str(getattr(value, "name", None) or getattr(value, "id", None))
        if name in taken or name in extensions:
            warn(f"{entry.value!r}, registered as {group}, is left out because the name {name!r} is already in use.")
            continue
        extensions[name] = value
    return tuple(extensions.values())

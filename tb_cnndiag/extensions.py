"""What other installed packages add, by the entry-point groups ``tb_cnndiag.diagnostics`` and ``tb_cnndiag.faults``."""

from __future__ import annotations

from collections.abc import Collection
from importlib.metadata import entry_points
from typing import TypeVar

from tb_cnndiag.warning import warn

T = TypeVar("T")


def registered(group: str, kind: type[T], taken: Collection[str]) -> tuple[type[T], ...]:
    """Subclasses of ``kind`` that the group names, each of a name that is not ``taken``.

    One that cannot be loaded, is no such class or cannot be made without arguments is warned of and left out.
    """
    found: dict[str, type[T]] = {}
    for entry in entry_points(group=group):
        try:
            value = entry.load()
            if not (isinstance(value, type) and issubclass(value, kind)):
                raise TypeError(f"{value!r} is no subclass of {kind.__name__}")
            value()
        except Exception as error:  # another package's fault must cost itself only
            warn(f"{entry.value!r}, registered as {group}, is left out ({type(error).__name__}: {error}).")
            continue
        name = str(getattr(value, "name", None) or getattr(value, "id", None))
        if name in taken or name in found:
            warn(f"{entry.value!r}, registered as {group}, is left out: there is a {name!r} already.")
            continue
        found[name] = value
    return tuple(found.values())

"""What a function or object of the user can reach from its code, and how to put that back after it was called.

Code that reaches anything of which this cannot be certain, such as variables, layers, generators or files, is refused.
"""

from __future__ import annotations

import dis
import functools
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

# Packages whose functions and classes keep no state that a call changes, other than random numbers.
LIBRARIES = frozenset({"keras", "tensorflow", "jax", "jaxlib", "torch", "numpy", "scipy", *sys.stdlib_module_names})
LIBRARIES -= {"test", "__main__"}
# Names in code that may print, read or write.
LOUD = frozenset({"print", "input", "open", "breakpoint", "set_trace", "logging", "write", "py_function", "callback"})
# Most bytes of arrays, and items of a list or dictionary, that are copied to be put back.
MOST_BYTES, MOST_ITEMS = 64 << 20, 10_000
_CONSTANTS = (type(None), bool, int, float, complex, str, bytes, range, slice, type(...), np.generic, np.dtype)
# Classes of libraries, by name, whose objects never change.
_UNCHANGING = frozenset({"DType", "dtype", "DTypePolicy", "TensorShape", "Size", "device", "mappingproxy"})
_FUNCTIONS = (types.BuiltinFunctionType, types.MethodWrapperType, types.WrapperDescriptorType, np.ufunc)


class RefusedError(ValueError):
    """The code is not called; the message says why."""


@contextmanager
def put_back(code: Any) -> Iterator[None]:
    """Restore everything that the code can reach.

    Raises:
        RefusedError: On entry, if the code must not be called.
    """
    reached = _Reached()
    reached.visit(code)
    try:
        yield
    finally:
        for restore in reached.restorers:
            restore()


def of_library(value: Any) -> bool:
    """Whether a function or class is one of a known library."""
    return _is_library(getattr(value, "__module__", None) or "")


def _is_library(module: str) -> bool:
    return module.split(".")[0] in LIBRARIES


class _Reached:
    """Visits everything that code can reach, once."""

    def __init__(self) -> None:
        self.restorers: list[Callable[[], None]] = []
        self._seen: dict[int, Any] = {}
        self._bytes = 0

    def visit(self, value: Any) -> None:
        if isinstance(value, _CONSTANTS) or id(value) in self._seen:
            return
        self._seen[id(value)] = value
        if isinstance(value, types.ModuleType):
            return
        if isinstance(value, keras.Variable):
            raise RefusedError("it uses a variable")
        if isinstance(value, tuple | frozenset):
            self._all(value)
        elif type(value) in (list, set, dict):
            self._container(value)
        elif isinstance(value, np.ndarray):
            self._array(value)
        elif keras.ops.is_tensor(value):
            self._tensor(value)
        elif isinstance(value, types.FunctionType):
            self._function(value)
        elif isinstance(value, type):
            self._class(value)
        elif isinstance(value, types.MethodType):
            self._all((value.__func__, value.__self__))
        elif isinstance(value, _FUNCTIONS):
            self.visit(getattr(value, "__self__", None))
        elif isinstance(value, functools.partial):
            self._all((value.func, value.args, value.keywords))
        elif isinstance(value, staticmethod | classmethod):
            self.visit(value.__func__)
        elif isinstance(value, property):
            self._all((value.fget, value.fset))
        elif compiled_from(value) is not None:
            self.visit(compiled_from(value))
        else:
            self._object(value)

    def _all(self, values: Any) -> None:
        for value in values:
            self.visit(value)

    def _container(self, value: Any) -> None:
        if len(value) > MOST_ITEMS:
            raise RefusedError("it uses large lists or dictionaries")
        self.restorers.append(functools.partial(_restore_container, value, value.copy()))
        self._all(list(value.values()) if isinstance(value, dict) else list(value))

    def _array(self, value: Any) -> None:
        if value.dtype.hasobject:
            raise RefusedError("it uses an array of objects")
        self._bytes += value.nbytes
        if self._bytes > MOST_BYTES:
            raise RefusedError("it uses large arrays")
        if value.flags.writeable:
            self.restorers.append(functools.partial(_restore_array, value, value.copy()))

    def _tensor(self, value: Any) -> None:
        if hasattr(value, "assign") or getattr(value, "requires_grad", False):
            raise RefusedError("it uses a variable")
        if hasattr(value, "copy_"):  # those of torch can be changed in place
            saved = value.clone()
            self.restorers.append(lambda: value.copy_(saved))

    def _function(self, function: Any) -> None:
        if of_library(function):
            self._all(_cells(function))
            return
        self._code(function.__code__, function.__globals__)
        self._all((function.__defaults__, function.__kwdefaults__))
        for cell in function.__closure__ or ():
            try:
                saved = cell.cell_contents
            except ValueError:  # not assigned yet
                continue
            self.restorers.append(functools.partial(setattr, cell, "cell_contents", saved))
            self.visit(saved)
        self.visit(vars(function))

    def _code(self, code: Any, names: dict[str, Any]) -> None:
        loud = sorted(LOUD & {*code.co_names})
        if loud:
            raise RefusedError(f"it may print, read or write ({loud[0]})")
        for instruction in dis.get_instructions(code):
            if instruction.opname in ("LOAD_GLOBAL", "STORE_GLOBAL", "DELETE_GLOBAL", "LOAD_NAME"):
                name = instruction.argval
                if name in names:
                    self._name(names, name)
                    if isinstance(names[name], types.ModuleType) and not _is_library(names[name].__name__):
                        self._attributes(names[name], code.co_names)
                elif instruction.opname == "STORE_GLOBAL":
                    self.restorers.append(functools.partial(names.pop, name, None))
        for constant in code.co_consts:
            if isinstance(constant, types.CodeType):
                self._code(constant, names)

    def _attributes(self, module: types.ModuleType, names: tuple[str, ...]) -> None:
        """What code may use of a module of the user."""
        for name in names:
            if name in vars(module):
                self._name(vars(module), name)

    def _name(self, names: dict[str, Any], name: str) -> None:
        self.restorers.append(functools.partial(_restore_name, names, name, names[name]))
        self.visit(names[name])

    def _class(self, value: type) -> None:
        for each in value.__mro__:
            if of_library(each):
                continue
            saved = dict(vars(each))
            self.restorers.append(functools.partial(_restore_class, each, saved))
            self._all(attribute for name, attribute in saved.items() if name not in ("__dict__", "__weakref__"))

    def _object(self, value: Any) -> None:
        kind = type(value)
        if of_library(kind):
            if kind.__name__ in _UNCHANGING:
                return
            if not isinstance(value, keras.losses.Loss):
                raise RefusedError(f"it uses an object of class {kind.__name__}, which may have a state")
        elif isinstance(value, keras.layers.Layer | keras.Variable | keras.metrics.Metric):
            raise RefusedError(f"it uses {kind.__name__}, which has a state")
        if not hasattr(value, "__dict__"):
            raise RefusedError(f"it uses an object of class {kind.__name__}, which may have a state")
        self.visit(kind)
        self._container(vars(value))


def compiled_from(value: Any) -> Any:
    """The Python function behind one that TensorFlow or JAX compiles; None for anything else."""
    found = getattr(value, "python_function", None) or getattr(value, "__wrapped__", None)
    return found if callable(found) else None


def _cells(function: Any) -> list[Any]:
    """What a function of a library closes over: decorators of libraries hold functions of the user."""
    found = []
    for cell in function.__closure__ or ():
        try:
            content = cell.cell_contents
        except ValueError:
            continue
        if isinstance(content, types.FunctionType) and not of_library(content):
            found.append(content)
    return found


# Other threads may use what is restored: only what has changed is assigned.


def _restore_container(value: Any, saved: Any) -> None:
    if isinstance(value, list):
        if len(value) != len(saved) or any(new is not old for new, old in zip(value, saved, strict=True)):
            value[:] = saved
    elif isinstance(value, dict):
        for name in [name for name in value if name not in saved]:
            del value[name]
        for name, old in saved.items():
            _restore_name(value, name, old)
    else:
        value &= saved
        value |= saved


def _restore_array(value: Any, saved: Any) -> None:
    if value.tobytes() != saved.tobytes():
        np.copyto(value, saved)


def _restore_name(names: dict[str, Any], name: str, old: Any) -> None:
    if name not in names or names[name] is not old:
        names[name] = old


def _restore_class(kind: type, saved: dict[str, Any]) -> None:
    for name in [name for name in vars(kind) if name not in saved]:
        delattr(kind, name)
    for name, value in saved.items():
        if vars(kind).get(name) is not value:
            setattr(kind, name, value)

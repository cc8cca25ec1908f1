"""The readers, one file for each kind of file; a module that defines ``READER`` is found by itself."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from lstm_studio.sequences.reading import Reader


@cache
def readers() -> tuple[Reader, ...]:
    """Return all readers, in the order of their modules' names.

    Modules that begin with an underscore are helpers of readers and are passed over.
    """
    names = sorted(module.name for module in iter_modules(__path__) if not module.name.startswith("_"))
    found = []
    for name in names:
        reader = import_module(f"{__name__}.{name}").READER
        if not isinstance(reader, Reader):
            raise TypeError(f"{__name__}.{name}.READER is not a Reader")
        found.append(reader)
    return tuple(found)

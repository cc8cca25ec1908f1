"""The teaching tasks there are. A new task is one new file in this package."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import Any

import lstm_studio.tasks
from lstm_studio.errors import StudioError
from lstm_studio.tasks.task import Task


@cache
def tasks() -> Mapping[str, type[Task]]:
    """Return every task by name, sorted: the concrete subclasses of :class:`Task` in the files of this package."""
    found: dict[str, type[Task]] = {}
    for file in pkgutil.iter_modules(lstm_studio.tasks.__path__):
        module = import_module(f"{lstm_studio.tasks.__name__}.{file.name}")
        for _, candidate in inspect.getmembers(module, inspect.isclass):
            if issubclass(candidate, Task) and not inspect.isabstract(candidate):
                found[candidate.name] = candidate
    return MappingProxyType(dict(sorted(found.items())))


def new_task(name: str, **parameters: Any) -> Task:
    """Return a task with the given parameters, the others at their defaults.

    Parameters
    ----------
    name
        ``"temporal-order"``, ``"waves"``, …: a key of :func:`tasks`.
    **parameters
        Fields of that task.

    Raises
    ------
    StudioError
        If there is no such task or no such parameter, or a value is out of range.
    """
    if name not in tasks():
        raise StudioError(f"There is no task {name!r}.", f"Choose one of {', '.join(tasks())}.")
    kind = tasks()[name]
    known = kind().parameters()
    for parameter in parameters:
        if parameter not in known:
            raise StudioError(f"Task {name!r} has no parameter {parameter!r}.", f"It has {', '.join(known)}.")
    return kind(**parameters)

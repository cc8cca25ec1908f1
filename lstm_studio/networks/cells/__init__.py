"""The kinds of recurrent layer, one file each: a new file here, with its ``CELL``, is a new kind everywhere."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

from lstm_studio.arguments import shown, text
from lstm_studio.errors import NetworkError
from lstm_studio.networks.cell import Cell

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn


@cache
def cells() -> Mapping[str, Cell]:
    """Return all kinds, by kind, in alphabetical order of their files; imports no torch."""
    found: dict[str, Cell] = {}
    for entry in sorted(pkgutil.iter_modules(__path__), key=lambda entry: entry.name):
        cell: Cell = import_module(f"{__name__}.{entry.name}").CELL
        found[cell.kind] = cell
    return MappingProxyType(found)


def cell_of_kind(kind: str) -> Cell:
    """Return the cell of a registered kind.

    Raises
    ------
    NetworkError
        If there is no such kind.
    """
    cure = f"Choose {', '.join(cells())}."
    found = cells().get(text("kind", kind, NetworkError, cure))
    if found is None:
        raise NetworkError(f"There is no kind of network called {shown(kind)}.", cure)
    return found


def cell_of_module(module: nn.Module) -> Cell | None:
    """Return the cell to whose kind ``module`` belongs, or None."""
    return next((cell for cell in cells().values() if cell.accepts(module)), None)

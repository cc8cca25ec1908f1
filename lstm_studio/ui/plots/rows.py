"""What the stack of plots shows, as plain frozen data: no Qt, NumPy only.

The window resolves its state into a `StackState`; the stack compares it with the previous one and touches only what
changed. Arrays are compared by identity, never by value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lstm_studio.networks.signals import Role
from lstm_studio.ui.numbers import format_count
from lstm_studio.ui.plots.times import Times


class View(StrEnum):
    """How a row of units is drawn."""

    HEAT = "heat map"
    LINES = "lines"
    BAND = "mean and quantiles"


@dataclass(frozen=True, slots=True, eq=False)
class UnitRow:
    """One signal of one layer: a value per step and unit.

    Parameters
    ----------
    key
        Identifies the row between two states, for example ``"lstm.0.forget_gate"``.
    title
        In the current vocabulary.
    symbol
        Rich text, ``"<i>f</i><sub>t</sub>"``.
    note
        Rich text beside the symbol, ``"in 0…1"``.
    badge
        One letter.
    role
        Decides the colour.
    values
        (T, U) float32 or float64, read-only. Not-a-number is drawn in the error colour and named. Where the stack has
        more steps, the rest of the row is empty and says so.
    levels
        Fixed range (low, high). Symmetric about zero takes the signed map, any other the sequential one.
    view
        How it is drawn.
    group
        Whose unit selection and unit order it follows, for example ``"lstm.0"``; empty where units cannot be selected.
    names
        U names where units have them (the features of an input); else empty, and units are numbered from 0.
    other
        (T', U') what the values are compared with, drawn dashed over the lines or the band; None for nothing.
    alone
        The row as it is where it is not compared; None for one that is not.
    """

    key: str
    title: str
    symbol: str
    note: str
    badge: str
    role: Role
    values: NDArray[Any]
    levels: tuple[float, float]
    view: View = View.HEAT
    group: str = ""
    names: tuple[str, ...] = ()
    other: NDArray[Any] | None = None
    alone: UnitRow | None = None

    @property
    def units(self) -> int:
        """U, the number of units."""
        return int(self.values.shape[1])

    @property
    def signed(self) -> bool:
        """Whether the levels are symmetric about zero."""
        return self.levels[0] == -self.levels[1]

    def unit_name(self, unit: int) -> str:
        """Return ``"unit 14"``, or the feature's own name."""
        return self.names[unit] if self.names else f"unit {unit}"


@dataclass(frozen=True, slots=True, eq=False)
class SymbolRow:
    """A one-hot input: one symbol per step, drawn as letter boxes, or as a strip where letters do not fit.

    Parameters
    ----------
    key, title, symbol, note, badge, role
        As in `UnitRow`.
    symbols
        T symbols.
    emphasis
        Symbols that matter (the events of a task), drawn filled with ink.
    """

    key: str
    title: str
    symbols: tuple[str, ...]
    symbol: str = ""
    note: str = ""
    badge: str = "x"
    role: Role = Role.INPUT
    emphasis: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """One curve of a gradient row.

    Parameters
    ----------
    name
        Whose curve it is, ``"LSTM"``; curves of one name share an end label.
    label
        What it is, ``"∂c"``.
    values
        (T,) float64, magnitudes ≥ 0.
    role
        Colour: that of what the gradient is taken with respect to.
    dashed, squares
        Line style and markers, so that colour never stands alone.
    other
        Whether it is what the others are compared with: thin and dotted.
    """

    name: str
    label: str
    values: NDArray[np.float64]
    role: Role
    dashed: bool = False
    squares: bool = False
    other: bool = False

    @property
    def full_name(self) -> str:
        """Name and label, ``"LSTM ∂c"``."""
        return f"{self.name} {self.label}".strip()


@dataclass(frozen=True, slots=True, eq=False)
class GradientRow:
    """Gradient magnitudes of all networks on one absolute log axis.

    Parameters
    ----------
    key, title
        As in `UnitRow`.
    note
        Rich text that names the transform.
    curves
        At least one.
    objective
        Rich text: the scalar that was differentiated, ``"<i>L</i> = Σ <i>h</i><sub>50</sub>"``.
    """

    key: str
    title: str
    note: str
    curves: tuple[Curve, ...]
    objective: str = ""
    badge: str = "∂"
    role: Role = Role.GRADIENT


Row: TypeAlias = UnitRow | SymbolRow | GradientRow


@dataclass(frozen=True, slots=True, eq=False)
class StackState:
    """Everything the stack shows.

    Parameters
    ----------
    rows
        From the top down; keys are unique.
    steps
        T.
    first_step_number
        The number printed for step 0.
    cursor
        0-based step under the time cursor; −1 where nothing has been stepped yet.
    reach
        How many steps the cursor can reach, where a sequence that is compared is longer than the one that it moves in;
        None for all.
    reveal_all
        Show what lies beyond the cursor faintly; else it is hidden.
    selected
        Group → selected unit.
    order
        Group → the units that are in sight, from the top; a missing group shows all by index.
    pinned
        Group → how many of those, from the top, are pinned there.
    stretch
        First step of a marked stretch and the one after its last, or None.
    times
        When each of the T steps was, or None where only their numbers are known.
    """

    rows: tuple[Row, ...] = ()
    steps: int = 0
    first_step_number: int = 1
    cursor: int = 0
    reach: int | None = None
    reveal_all: bool = False
    selected: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    order: Mapping[str, NDArray[np.intp]] = field(default_factory=lambda: MappingProxyType({}))
    pinned: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    stretch: tuple[int, int] | None = None
    times: Times | None = None

    @property
    def revealed(self) -> int:
        """The last step that is revealed: the cursor's; with the last that it can reach, also those behind it."""
        return self.steps - 1 if self.reach is not None and self.cursor >= self.reach - 1 else self.cursor

    @property
    def time_title(self) -> str:
        """The label of the time axis, with its unit."""
        return "time step" if self.times is None else self.times.title

    @property
    def numbers_shown(self) -> dict[str, int]:
        """For each group that is rearranged, how many of its units are in sight."""
        return {group: len(order) for group, order in self.order.items()}

    def is_same(self, before: StackState) -> bool:
        """Return whether nothing is new, as where only the phase of a step changed."""
        kept = ("rows", "order", "pinned", "times")
        plain = ("steps", "first_step_number", "cursor", "reach", "reveal_all", "selected", "stretch")
        return all(getattr(self, name) is getattr(before, name) for name in kept) and all(
            getattr(self, name) == getattr(before, name) for name in plain
        )

    def step_label(self, step: int) -> str:
        """Return the step's number, with its time where steps have one."""
        number = format_count(step + self.first_step_number)
        return number if self.times is None else f"{number} ({self.times.text(step)})"


def symmetric_levels(largest: float) -> tuple[float, float]:
    """Return (−L, +L) with L the next of … 0.5, 1, 2, 5, 10, 20 … at or above the largest magnitude shown."""
    if not np.isfinite(largest) or largest <= 0:
        return -1.0, 1.0
    decade = 10.0 ** np.floor(np.log10(largest))
    limit = next(float(step * decade) for step in (1, 2, 5, 10, 20) if step * decade >= largest * (1 - 1e-9))
    return -limit, limit


def spanning_levels(lowest: float, highest: float) -> tuple[float, float]:
    """Return rounded limits that hold ``lowest`` and ``highest``, for quantities without a range of their own."""
    if not (np.isfinite(lowest) and np.isfinite(highest)):
        return -1.0, 1.0
    if highest <= lowest:
        return lowest - 0.5, lowest + 0.5
    rough = (highest - lowest) / 10
    decade = 10.0 ** np.floor(np.log10(rough))
    step = next(float(s * decade) for s in (1, 2, 5, 10) if s * decade >= rough * (1 - 1e-9))
    return float(np.floor(lowest / step + 1e-9) * step), float(np.ceil(highest / step - 1e-9) * step)

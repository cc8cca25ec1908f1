"""What plots over the steps of a training show, as plain frozen data: no Qt, NumPy only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from lstm_studio.networks.signals import Role
from lstm_studio.ui.plots.log_axis import LogAxis
from lstm_studio.ui.plots.rows import StackState


@dataclass(frozen=True, slots=True, eq=False)
class StepCurve:
    """Values at some steps of a training.

    Parameters
    ----------
    name
        Of what they are, ``"LSTM"``.
    steps, values
        (N,) int64 growing, (N,) float64.
    role
        Decides the colour.
    squares, dashed
        Markers and line style, so that colour never stands alone.
    faint
        Whether it is drawn behind the others, to show how far these are from it.
    end
        What its label at its end says; empty for no label.
    what
        What it says beside the row's title, ``"accuracy"``; empty for what the title says.
    """

    name: str
    steps: NDArray[np.int64]
    values: NDArray[np.float64]
    role: Role
    squares: bool = False
    dashed: bool = False
    faint: bool = False
    end: str = ""
    what: str = ""

    def place_of(self, step: int) -> int | None:
        """Return the index of the value nearest to a step; None where there is none."""
        if not len(self.steps):
            return None
        after = int(np.searchsorted(self.steps, step))
        around = [place for place in (after - 1, after) if 0 <= place < len(self.steps)]
        return min(around, key=lambda place: abs(int(self.steps[place]) - step))


@dataclass(frozen=True, slots=True)
class StepLine:
    """A line that the curves are compared with.

    Parameters
    ----------
    value
        Where.
    text
        Written beside it.
    goal
        Whether it is what is to be reached; else what chance reaches.
    """

    value: float
    text: str
    goal: bool = False


@dataclass(frozen=True, slots=True)
class StepMark:
    """A step at which something happened, and what."""

    step: int
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class CurveRow:
    """Curves on one axis.

    Parameters
    ----------
    key
        Identifies the row between two states.
    title, note, third
        The label: title, rich text below it, and its last line.
    badge, role
        Letter and colour of the badge.
    curves
        What is drawn.
    log
        Whether the axis is logarithmic; else it is from 0 to 1.
    lines, marks
        What the curves are compared with, and what happened.
    weight
        Share of the height.
    """

    key: str
    title: str
    note: str
    third: str
    badge: str
    role: Role
    curves: tuple[StepCurve, ...]
    log: bool
    lines: tuple[StepLine, ...] = ()
    marks: tuple[StepMark, ...] = ()
    weight: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class LagRow:
    """How large a gradient is by steps back in time, at some steps of a training, as a heat map.

    Parameters
    ----------
    key, title, note, third, badge, role, weight
        As in `CurveRow`.
    steps
        (N,) int64, growing.
    norms
        (N, L) float64, not negative; not-a-number beyond the lags that there are.
    spacing
        Time steps between two columns.
    axis
        Of the colours, the same for all rows beside each other.
    """

    key: str
    title: str
    note: str
    third: str
    badge: str
    role: Role
    steps: NDArray[np.int64]
    norms: NDArray[np.float64]
    spacing: int
    axis: LogAxis
    weight: float = 1.0

    @property
    def lags(self) -> int:
        """L, the number of columns."""
        return int(self.norms.shape[1])


StepRow: TypeAlias = CurveRow | LagRow


@dataclass(frozen=True, slots=True, eq=False)
class StepState:
    """Everything that the plots of a training show.

    Parameters
    ----------
    rows
        From the top down; keys are unique.
    planned
        The last step that there is to be.
    done
        The last step of which anything is known; −1 before the first.
    growing
        Whether more is to come.
    cursor
        The step that is looked at; −1 for none.
    span
        The steps between which the cursor's column lies.
    """

    rows: tuple[StepRow, ...] = ()
    planned: int = 1
    done: int = -1
    growing: bool = False
    cursor: int = -1
    span: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class TrainingSteps(StackState):
    """What the axis counts."""

    @property
    def time_title(self) -> str:
        """The label of the axis."""
        return "training step"


def training_steps(planned: int) -> TrainingSteps:
    """Return what the axis of a training of so many steps counts, from 0."""
    return TrainingSteps(steps=planned + 1, first_step_number=0)


def shown_rows(steps: NDArray[np.int64], first: float, last: float, most: int) -> NDArray[np.intp]:
    """Return which rows of a heat map are drawn between two steps: all, or ``most`` of them, evenly spaced.

    Parameters
    ----------
    steps
        (N,) growing.
    first, last
        Of the steps that can be seen.
    most
        Pixels: more rows than that cannot be seen.
    """
    begin = max(0, int(np.searchsorted(steps, first)) - 1)
    end = min(len(steps), int(np.searchsorted(steps, last, side="right")) + 1)
    if end - begin <= most:
        return np.arange(begin, end)
    return np.unique(np.linspace(begin, end - 1, most).round().astype(np.intp))

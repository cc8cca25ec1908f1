"""What a session is made of: the setup that is computed (undoable) and the view of its result (not recomputed)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

from lstm_studio.engine.trace import Trace
from lstm_studio.networks.signals import Labels, Phase
from lstm_studio.networks.spec import NetworkInfo, NetworkSpec
from lstm_studio.sequences.sequence import Scaling, Sequence, SequenceSet
from lstm_studio.session.conditions import StopWhen
from lstm_studio.session.wishes import LookingFor

Event = tuple[float, ...]
"""One new event: F raw values, before scaling; for one-hot sequences a 1 at the symbol."""


Held = tuple[tuple[int, float], ...]
"""Unit → the value at which it is held, or feature → its new value."""


@dataclass(frozen=True, slots=True)
class Branch:
    """A what-if: the traced sequence again, with something changed from a step on; as in ``ls.resume``.

    Parameters
    ----------
    name
        What the list of branches shows, unique among them.
    at
        The first step that may be different, 0-based.
    until
        The first step at which nothing is held any more; None for the end.
    clamp
        Signal (``"lstm.0.forget_gate"``) → unit → the value at which it is held.
    ablate
        Layer (``"lstm.0"``) → units that are switched off.
    events
        Step → feature → raw value that the event has instead.
    network
        Index of the network in which it happens, 0 for the one under the microscope. A changed event reaches all.
    """

    name: str
    at: int
    until: int | None = None
    clamp: tuple[tuple[str, Held], ...] = ()
    ablate: tuple[tuple[str, tuple[int, ...]], ...] = ()
    events: tuple[tuple[int, Held], ...] = ()
    network: int = 0


@dataclass(frozen=True, slots=True)
class Second:
    """What else is traced to be compared with: another sequence of the set, another network, or both.

    Parameters
    ----------
    item
        Index of the other sequence; None for the shown one.
    network
        The other network; None for the one under the microscope.
    """

    item: int | None = None
    network: NetworkSpec | None = None


class Match(StrEnum):
    """What the companion network has in common with the first one."""

    UNITS = "units"
    PARAMETERS = "parameters"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A sampled step of a training: its traces are shown as they were recorded, without the network.

    Parameters
    ----------
    address
        Of the run.
    step
        Of the training.
    item
        Which of the sampled sequences.
    """

    address: str
    step: int
    item: int = 0


@dataclass(frozen=True, slots=True)
class Setup:
    """Everything that decides the traces. Changing it recomputes them and can be undone.

    Parameters
    ----------
    data
        The sequences as read, before scaling and before long ones are cut into pieces.
    item
        Index of the shown sequence, after cutting.
    scaling
        How raw values become network inputs.
    piece_length
        Steps after which a long sequence is cut, or None to keep sequences whole.
    events
        Events added by hand after the end of the shown sequence.
    network
        The network under the microscope.
    companion
        The network beside it, or None. Unless it comes from a checkpoint, its sizes follow ``match`` and its seed is
        that of ``network``.
    match
        What the two networks have in common.
    objective
        As in ``ls.trace(objective=…)``; None for the default.
    memory
        Whether to take the norms of the Jacobians too.
    device
        ``"auto"`` or one of the devices found.
    dtype
        ``"float32"`` or ``"float64"``, the precision of the states.
    branches
        What-ifs on the shown sequence.
    second
        What else is traced to be compared with, or None.
    recorded
        Where the traces come from if they were recorded; None where the networks compute them. Of a recorded step
        there is no network: nothing can be computed from it, and the networks here only say what was trained.
    """

    data: SequenceSet
    item: int = 0
    scaling: Scaling = Scaling.NONE
    piece_length: int | None = None
    events: tuple[Event, ...] = ()
    network: NetworkSpec = field(default_factory=NetworkSpec)
    companion: NetworkSpec | None = field(default_factory=lambda: NetworkSpec("rnn"))
    match: Match = Match.UNITS
    objective: str | None = None
    memory: bool = False
    device: str = "auto"
    dtype: str = "float32"
    branches: tuple[Branch, ...] = ()
    second: Second | None = None
    recorded: Recorded | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """A remark pinned to a step.

    Parameters
    ----------
    item
        Index of the sequence.
    step
        0-based.
    text
        What it says, at least one character.
    """

    item: int
    step: int
    text: str


@dataclass(frozen=True, slots=True)
class Remarks:
    """What the user has added to what is shown. Changing it computes nothing and can be undone.

    Parameters
    ----------
    notes
        In the order of their sequences and steps.
    pinned
        Layer (``"0:lstm.0"``) → units that stay in sight whatever the order and the filter.
    stop
        Where playing stops.
    similar
        What is looked for in other stretches of time.
    """

    notes: tuple[Note, ...] = ()
    pinned: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: MappingProxyType({}))
    stop: StopWhen = field(default_factory=StopWhen)
    similar: LookingFor = field(default_factory=LookingFor)

    def elsewhere(self) -> Remarks:
        """Return what of them is meant for other sequences too: where playing stops, for example, but no notes."""
        return replace(self, notes=(), similar=self.similar.elsewhere())


RECORDED = "recorded"
SECOND = "second"


def branch_key(name: str) -> str:
    """Return what stands for a branch in a :class:`Comparison`."""
    return f"branch:{name}"


class CompareMode(StrEnum):
    """How two traces share a row of plots."""

    OVERLAY = "overlay"
    SIDE = "side"
    DIFFERENCE = "difference"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two traces on one time axis.

    Parameters
    ----------
    other
        What is compared: ``"recorded"``, ``"second"`` or ``branch_key(name)``.
    base
        What it is compared with, likewise.
    mode
        How they are shown.
    """

    other: str
    base: str = RECORDED
    mode: CompareMode = CompareMode.OVERLAY


class UnitOrder(StrEnum):
    """How the units of a layer are ordered from the top."""

    INDEX = "index"
    ACTIVITY = "activity"
    SIMILARITY = "similarity"


@dataclass(frozen=True, slots=True)
class UnitFilter:
    """Which units are in sight, beside those that are pinned.

    Parameters
    ----------
    above
        Only those more active than this; None for all. Counts in the layers of every network.
    listed
        Only these; empty for all. Numbers name units of the network under the microscope, so they count there alone.
    """

    above: float | None = None
    listed: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """How the traces are looked at. Changing it computes nothing.

    Parameters
    ----------
    cursor
        The shown step, 0-based; everything up to and including it is revealed.
    reveal_all
        Whether the steps after the cursor are shown faintly.
    units
        Trace-layer prefix, qualified by the network's index (``"0:lstm.0"``) → selected unit.
    layer
        Which of the stacked layers is shown, counted from the input; None for the last. Clipped to what there is.
    backward
        Whether the inspector and the unit chooser follow the direction that reads the sequence from its end, where
        there is one.
    plot_views
        Row key → name of the plot view (heat, lines, band) where it is not the row's default.
    labels
        The vocabulary.
    theme
        ``"system"``, ``"light"`` or ``"dark"``.
    speed
        Steps per second when playing.
    loop
        Whether playing starts again after the last step.
    phase
        With ``four_phases``, the operation of the cursor's step that is shown.
    four_phases
        Whether stepping takes the operations of a step one by one.
    order
        Of the units.
    unit_filter
        Which of them are in sight.
    stretch
        First step of a marked stretch and the one after its last, or None. Alone in the view, it can be undone where it
        is changed by :meth:`~lstm_studio.session.session.Session.mark`.
    mark
        The step at which a stretch was begun that reaches to the cursor until it is ended; None while none is open.
    comparison
        Which two traces share the rows of plots; None for the recorded one alone.
    diagram
        Whether the cells are drawn above the plots.
    """

    cursor: int = 0
    reveal_all: bool = False
    units: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    layer: int | None = None
    backward: bool = False
    plot_views: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    labels: Labels = Labels.STANDARD
    theme: str = "system"
    speed: float = 4.0
    loop: bool = False
    phase: Phase = Phase.FORGET
    four_phases: bool = False
    order: UnitOrder = UnitOrder.INDEX
    unit_filter: UnitFilter = UnitFilter()
    stretch: tuple[int, int] | None = None
    mark: int | None = None
    comparison: Comparison | None = None
    diagram: bool = True

    @property
    def marked(self) -> tuple[int, int] | None:
        """The marked stretch as it is now: while one is open, from where it was begun to the cursor."""
        if self.mark is None:
            return self.stretch
        return min(self.mark, self.cursor), max(self.mark, self.cursor) + 1

    def with_unit(self, group: str, unit: int) -> View:
        """Return the view with another selected unit in one layer."""
        return replace(self, units=MappingProxyType({**self.units, group: unit}))

    def with_plot_view(self, key: str, plot_view: str) -> View:
        """Return the view with another plot view for one row."""
        return replace(self, plot_views=MappingProxyType({**self.plot_views, key: plot_view}))


@dataclass(frozen=True, eq=False, slots=True)
class Result:
    """What a setup came to: the sequences as the networks receive them, and a trace of each network.

    Parameters
    ----------
    setup
        What was asked for.
    sequences
        Scaled and cut; the list that the window shows.
    sequence
        The traced one, with the added events at its end.
    infos, traces
        One for each network, the network under the microscope first.
    branches
        For each branch of the setup a trace of each network; the recorded one where the branch changes nothing.
    second
        The trace that the setup's second choice came to, and what a panel shows about its network.
    """

    setup: Setup
    sequences: SequenceSet
    sequence: Sequence
    infos: tuple[NetworkInfo, ...]
    traces: tuple[Trace, ...]
    branches: tuple[tuple[Trace, ...], ...] = ()
    second: tuple[Trace, NetworkInfo] | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Verdicts:
    """How each network classifies each sequence of the set.

    Parameters
    ----------
    sequences
        The set that was classified.
    networks
        Fingerprints, in the order of ``predictions``.
    predictions
        For each network the predicted class index of each sequence, or None where it has no read-out.
    """

    sequences: SequenceSet
    networks: tuple[str, ...]
    predictions: tuple[tuple[int, ...] | None, ...]

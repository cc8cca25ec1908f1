"""From a result and a view to what the stack of plots shows; free of Qt.

No cell and no signal is known by name here: which signals are shown, in which colours and between which levels, is
what the traced layers declare.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from html import escape
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_studio.networks.signals import INPUT, Labels, Role, Signal
from lstm_studio.sequences.sequence import Sequence
from lstm_studio.session.emphasis import emphasised_symbols
from lstm_studio.session.state import Remarks, Result, View
from lstm_studio.session.units import pinned_in, rearranged
from lstm_studio.ui.explore.compared_rows import compared_rows
from lstm_studio.ui.explore.comparing import Compared, compared
from lstm_studio.ui.explore.gradients import direction_mark, memory_gradients, objective_words
from lstm_studio.ui.explore.horizon.memory_row import memory_row
from lstm_studio.ui.explore.layers import ShownLayer, network_names, selected_unit, shown_layers
from lstm_studio.ui.plots.rows import (
    Curve,
    GradientRow,
    Row,
    StackState,
    SymbolRow,
    UnitRow,
    spanning_levels,
    symmetric_levels,
)
from lstm_studio.ui.plots.rows import View as PlotView
from lstm_studio.ui.plots.times import Times

INPUT_KEY = "input"
GRADIENT_KEY = "gradient"
_MOST_LINES = 8
"""Features that can be told apart as lines; more are a heat map, as the bands of a sound are."""


class StackResolver:
    """Resolves what the stack shows, and keeps the rows as they are while only the cursor or a unit moves."""

    def __init__(self) -> None:
        self._result: Result | None = None
        self._look: tuple[object, ...] = ()
        self._traced: tuple[object, ...] = ()
        self._times: tuple[Sequence, Times | None] | None = None
        self._state = StackState()
        self._sight: tuple[object, ...] = ()
        self._order = self._state.order

    def resolve(self, result: Result, view: View, remarks: Remarks | None = None) -> StackState:
        """Return the state of the stack; rows and arrays are the same objects until they have to change."""
        look = (view.layer, view.labels, view.plot_views, view.comparison)
        shown = shown_layers(result, view)
        if result is not self._result or look != self._look:
            self._make_rows(result, view, shown, look)
        self._arrange(result, view, remarks or Remarks(), shown)
        longer = self._state.steps > result.sequence.steps
        return replace(
            self._state,
            cursor=view.cursor,
            reach=result.sequence.steps if longer else None,
            stretch=view.marked,
            reveal_all=view.reveal_all,
            selected=MappingProxyType({one.group: selected_unit(one, view) for one in shown}),
        )

    def _make_rows(self, result: Result, view: View, shown: tuple[ShownLayer, ...], look: tuple[object, ...]) -> None:
        """Make the rows anew, unless nothing of what they show is new: another what-if that is not compared, say."""
        pair = compared(result, view)
        traced: tuple[object, ...] = (result.sequences, result.sequence, result.infos, result.traces)
        if pair is not None:
            traced += (pair.base.result.traces, pair.other.result.traces)
        same = traced == self._traced and look == self._look
        self._result, self._look, self._traced = result, look, traced
        if same:
            return
        if self._times is None or self._times[0] is not result.sequence:
            self._times = (result.sequence, _times(result.sequence))
        if pair is None:
            rows, steps = _rows(result, view, shown), result.sequence.steps
        else:
            rows, steps = _rows_of_two(pair, view), pair.steps
        # A longer sequence has steps that no time of the shown one belongs to.
        times = None if steps > result.sequence.steps else self._times[1]
        self._state = StackState(rows=rows, steps=steps, times=times)

    def _arrange(self, result: Result, view: View, remarks: Remarks, shown: tuple[ShownLayer, ...]) -> None:
        """Put the units in sight in their order, unless nothing has changed about it."""
        groups = tuple(one.group for one in shown)
        sight = (result, view.order, view.unit_filter, remarks.pinned, groups)
        if sight == self._sight and self._state.order is self._order:
            return
        self._sight = sight
        self._order = rearranged(result, view, remarks, groups)
        pinned = {one.group: len(pinned_in(remarks, one.group, one.layer.units)) for one in shown}
        self._state = replace(self._state, order=self._order, pinned=MappingProxyType(pinned))


def _rows_of_two(pair: Compared, view: View) -> tuple[Row, ...]:
    base, other = pair.base.result, pair.other.result
    return compared_rows(
        _rows(base, view, shown_layers(base, view)), _rows(other, view, shown_layers(other, view)), pair, view
    )


def _rows(result: Result, view: View, shown: tuple[ShownLayer, ...]) -> tuple[Row, ...]:
    rows: list[Row] = [_input_row(result, view)]
    declared = [(one, signal) for one in shown for signal in one.layer.signals if signal.overview]
    recorded = [(one, signal) for one, signal in declared if f"{one.layer.prefix}.{signal.name}" in one.trace]
    levels = _common_levels(recorded)
    names = network_names(result.infos)
    for one, signal in recorded:
        key = f"{one.network}.{signal.name}" + (".reverse" if one.backward else "")
        rows.append(
            UnitRow(
                key=key,
                title=_title(one, signal, view.labels, names, shown),
                symbol=signal.symbol,
                note=_note(one, signal),
                badge=signal.badge,
                role=signal.role,
                values=_values(one, signal),
                levels=levels[signal.name] if signal.levels is None else signal.levels,
                view=_plot_view(view, key, PlotView.HEAT),
                group=one.group,
            )
        )
    gradients = memory_gradients(result, shown)
    if gradients:
        curves = tuple(
            Curve(
                name=gradient.name,
                label=f"∂{gradient.letter}",
                values=gradient.values,
                role=gradient.role,
                dashed=gradient.role is Role.SHORT_TERM,
                squares=gradient.network > 0,
            )
            for gradient in gradients
        )
        rows.append(GradientRow(GRADIENT_KEY, "Gradient", "norm, log axis", curves, objective_words(result)))
    memory = memory_row(result, shown)
    return (*rows, memory) if memory is not None else tuple(rows)


def _input_row(result: Result, view: View) -> Row:
    sequence = result.sequence
    title = INPUT.label(view.labels)
    if sequence.symbols is not None:
        return SymbolRow(
            INPUT_KEY,
            title,
            sequence.symbols,
            symbol=INPUT.symbol,
            badge=INPUT.badge,
            role=INPUT.role,
            emphasis=frozenset(emphasised_symbols(result.sequences)),
        )
    features = f"{sequence.features:,} features" if sequence.features > 1 else escape(sequence.names[0])
    scaled = "" if result.sequences.scaling.value == "none" else f", {result.sequences.scaling.value.replace('-', '–')}"
    return UnitRow(
        key=INPUT_KEY,
        title=title,
        symbol=INPUT.symbol,
        note=features + scaled,
        badge=INPUT.badge,
        role=INPUT.role,
        values=sequence.values,
        levels=spanning_levels(*_extent(sequence.values)),
        view=_plot_view(view, INPUT_KEY, PlotView.LINES if sequence.features <= _MOST_LINES else PlotView.HEAT),
        names=sequence.names,
    )


def _title(
    one: ShownLayer, signal: Signal, labels: Labels, names: tuple[str, ...], shown: tuple[ShownLayer, ...]
) -> str:
    title = signal.label(labels)
    same_kind = len({other.info.title for other in shown}) < len(names)
    if one.network > 0 or same_kind:
        title = f"{names[one.network]} {title[:1].lower()}{title[1:]}"
    directions = sum(other.network == one.network for other in shown)
    return f"{title} {direction_mark(one)}" if directions > 1 else title


def _note(one: ShownLayer, signal: Signal) -> str:
    parts = [signal.note] if signal.note else []
    if one.depth > 1:
        parts.append(f"layer {one.number + 1} of {one.depth}")
    elif one.network > 0 and not parts:
        parts.append(one.info.title)
    return " · ".join(parts)


def _values(one: ShownLayer, signal: Signal) -> NDArray[Any]:
    return one.trace[f"{one.layer.prefix}.{signal.name}"]


def _common_levels(recorded: Iterable[tuple[ShownLayer, Signal]]) -> Mapping[str, tuple[float, float]]:
    """One symmetric range for each unbounded signal, the same for all networks and directions shown."""
    largest: dict[str, float] = {}
    for one, signal in recorded:
        if signal.levels is None:
            low, high = _extent(_values(one, signal))
            largest[signal.name] = max(largest.get(signal.name, 0.0), -low, high)
    return {name: symmetric_levels(value) for name, value in largest.items()}


def _extent(values: NDArray[Any]) -> tuple[float, float]:
    """Return the smallest and the largest finite value, (0, 0) where there is none."""
    if not values.size:
        return 0.0, 0.0
    low, high = float(values.min()), float(values.max())
    if not np.isfinite(low) or not np.isfinite(high):
        finite = values[np.isfinite(values)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    return low, high


def _plot_view(view: View, key: str, default: PlotView) -> PlotView:
    chosen = view.plot_views.get(key)
    return PlotView(chosen) if chosen in set(PlotView) else default


def _times(sequence: Sequence) -> Times | None:
    return None if sequence.time is None else Times(sequence.time, sequence.time_unit)

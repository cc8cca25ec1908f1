"""Two sources of traces in one stack of rows: over each other, side by side, or one minus the other; free of Qt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_studio.session.state import CompareMode, View
from lstm_studio.ui.explore.comparing import ROUNDING, Compared
from lstm_studio.ui.numbers import format_count
from lstm_studio.ui.plots.rows import GradientRow, Row, SymbolRow, UnitRow, symmetric_levels
from lstm_studio.ui.plots.rows import View as PlotView

BASE, OTHER = "A", "B"
"""What the two are called where there is no room for their names."""
OTHER_KEY = "|B"
"""Behind the key of a row, that of the same row of the other source."""


def compared_rows(base: Sequence[Row], other: Sequence[Row], pair: Compared, view: View) -> tuple[Row, ...]:
    """Return the rows that show two sources.

    Parameters
    ----------
    base, other
        The rows that each source would have alone.
    pair
        The sources, and how they share a row.
    view
        For the plot views of the rows that only a comparison has.
    """
    twins = {row.key: row for row in other}
    differences = _differences(base, twins, _rounding(pair)) if pair.mode is CompareMode.DIFFERENCE else {}
    rows: list[Row] = []
    for row in base:
        twin = twins.pop(row.key, None)
        match row, twin:
            case UnitRow(), UnitRow():
                rows += _units(row, twin, pair, view, differences)
            case SymbolRow(), SymbolRow():
                rows += _symbols(row, twin)
            case GradientRow(), GradientRow():
                rows.append(_gradients(row, twin))
            case GradientRow(), None:
                rows.append(replace(row, note=_only(row.note, BASE)))
            case ((UnitRow() | SymbolRow()), None):
                alone = replace(row, note=_noted(row.note, f"{BASE} only"))
                # Low rows have no room for notes; and beside rows of both, whose it is has to be seen.
                rows.append(_called(alone, BASE) if pair.mode is CompareMode.SIDE else alone)
            case _:
                rows += [_called(row, BASE), _called(twin, OTHER)] if twin is not None else [row]
    rows += [_called(row, OTHER) for row in twins.values() if not isinstance(row, GradientRow)]
    rows += [replace(row, note=_only(row.note, OTHER)) for row in twins.values() if isinstance(row, GradientRow)]
    gradients = [row for row in rows if isinstance(row, GradientRow)]
    return (*(row for row in rows if not isinstance(row, GradientRow)), *gradients)


def _units(row: UnitRow, twin: UnitRow, pair: Compared, view: View, differences: Mapping[str, UnitRow]) -> list[Row]:
    if row.key in differences:
        return [differences[row.key]]
    if row.values is twin.values:
        return [replace(row, note=_noted(row.note, "the same"))]
    low, high = min(row.levels[0], twin.levels[0]), max(row.levels[1], twin.levels[1])
    if pair.mode is CompareMode.SIDE:
        key = row.key + OTHER_KEY
        chosen = view.plot_views.get(key)
        plot_view = PlotView(chosen) if chosen in set(PlotView) else row.view
        first = replace(row, levels=(low, high), alone=row)
        second = replace(twin, key=key, levels=(low, high), view=plot_view)
        return [_called(first, BASE), _called(second, OTHER)]
    words = "" if row.units == twin.units else f"{format_count(row.units)} and {format_count(twin.units)} units"
    # Two heat maps cannot lie over each other.
    plot_view = PlotView.LINES if row.view is PlotView.HEAT else row.view
    return [
        replace(row, note=_noted(row.note, words), levels=(low, high), view=plot_view, other=twin.values, alone=row)
    ]


def _rounding(pair: Compared) -> float:
    """Return up to where two numbers count as the same, relative to the largest of them where that is above 1."""
    traces = pair.base.result.traces
    return ROUNDING.get(traces[0].provenance.dtype if traces else "", ROUNDING["float32"])


def _differences(base: Sequence[Row], twins: Mapping[str, Row], rounding: float) -> dict[str, UnitRow]:
    """Return key → the row of the difference, in one symmetric range for all networks and directions with a signal.

    A range is never smaller than what counts as rounding: else what is the same but for it would look different.
    """
    pairs = [(row, twins.get(row.key)) for row in base]
    values: dict[str, NDArray[Any]] = {}
    largest: dict[str, float] = {}
    for row, twin in pairs:
        if isinstance(row, UnitRow) and isinstance(twin, UnitRow) and row.units == twin.units:
            apart = values[row.key] = _apart(row.values, twin.values)
            signal = _signal(row.key)
            if row.values is not twin.values:
                least = rounding * max(1.0, _magnitude(row.values))
                largest[signal] = max(largest.get(signal, 0.0), least, _magnitude(apart))
    return {
        row.key: replace(
            row,
            symbol=f"Δ{row.symbol}",
            note=f"difference {OTHER} − {BASE}",
            values=values[row.key],
            levels=symmetric_levels(largest.get(_signal(row.key), 0.0)),
            alone=row,
        )
        for row, _ in pairs
        if isinstance(row, UnitRow) and row.key in values
    }


def _apart(one: NDArray[Any], two: NDArray[Any]) -> NDArray[Any]:
    """Return (T, U) two − one, over the steps that both have."""
    steps = min(len(one), len(two))
    with np.errstate(all="ignore"):
        apart = np.zeros_like(one) if one is two else np.subtract(two[:steps], one[:steps])
    apart.flags.writeable = False
    return apart


def _magnitude(values: NDArray[Any]) -> float:
    """Return the largest finite magnitude, 0 where there is none."""
    if not values.size:
        return 0.0
    low, high = float(values.min()), float(values.max())
    if np.isfinite(low) and np.isfinite(high):
        return max(-low, high)
    return float(np.abs(values).max(where=np.isfinite(values), initial=0.0))


def _signal(key: str) -> str:
    return key.partition(".")[2].removesuffix(".reverse")


def _symbols(row: SymbolRow, twin: SymbolRow) -> list[Row]:
    if row.symbols == twin.symbols:
        return [row]
    return [_called(row, BASE), _called(replace(twin, key=row.key + OTHER_KEY), OTHER)]


def _gradients(row: GradientRow, twin: GradientRow) -> GradientRow:
    known = {id(curve.values) for curve in row.curves}
    others = tuple(
        replace(curve, name=f"{OTHER} {curve.name}", other=True)
        for curve in twin.curves
        if id(curve.values) not in known
    )
    if not others:
        same = all(id(curve.values) in {id(other.values) for other in twin.curves} for curve in row.curves)
        return row if same else replace(row, note=_only(row.note, BASE))
    theirs = {id(curve.values) for curve in twin.curves}
    curves = tuple(
        curve if id(curve.values) in theirs else replace(curve, name=f"{BASE} {curve.name}") for curve in row.curves
    )
    objective = row.objective if row.objective == twin.objective else f"{row.objective}; {twin.objective}"
    return replace(row, curves=(*curves, *others), objective=objective)


def _only(note: str, name: str) -> str:
    return f"{note} · {name} only"


def _noted(note: str, words: str) -> str:
    return " · ".join(part for part in (note, words) if part)


def _called(row: Row, name: str) -> Row:
    """Return a row with the letter of its source behind its title."""
    return replace(row, title=f"{row.title} · {name}")

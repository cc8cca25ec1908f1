"""Which units of a layer are in sight, and in which order: the same for plots, diagram, labels and keys.

Unit numbers stay what they are; only the places change. Everything is kept as long as the trace that it is about, so
asking again costs nothing and gives the same arrays.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from lstm_studio.engine.likeness import correlation_distance, leaf_order
from lstm_studio.engine.trace import Trace, TraceLayer
from lstm_studio.errors import StudioError
from lstm_studio.session.state import Remarks, Result, UnitFilter, UnitOrder, View

Order = NDArray[np.intp]

_MEASURED = "hidden_state"
_BLOCK = 1 << 10
"""Steps that are averaged at once."""
_MOST_KEPT = 32
"""Arrays kept for one trace; more are made only by trying many filters."""

_kept: WeakKeyDictionary[Trace, dict[tuple[object, ...], NDArray[Any]]] = WeakKeyDictionary()


class UnitsError(StudioError):
    """A filter of units could not be read, or leaves none."""


def measured_signal(trace: Trace, layer: TraceLayer) -> str:
    """Return the signal by which units are ordered and filtered: the hidden state, else the last one shown at first."""
    recorded = [signal for signal in layer.signals if f"{layer.prefix}.{signal.name}" in trace]
    names = [signal.name for signal in recorded]
    if _MEASURED in names:
        return f"{layer.prefix}.{_MEASURED}"
    shown = [signal.name for signal in recorded if signal.overview]
    return f"{layer.prefix}.{(shown or names)[-1]}"


def activity(trace: Trace, layer: TraceLayer) -> NDArray[np.float64]:
    """Return the activity of each unit: the mean magnitude of its hidden state, |h|, over all steps of the sequence.

    Returns
    -------
    NDArray
        (H,) float64, 0…1 where the hidden state is bounded by ±1. Values that are not finite are left out.
    """

    def measure() -> NDArray[np.float64]:
        values = trace[measured_signal(trace, layer)]
        total, number = np.zeros(layer.units), np.zeros(layer.units)
        for start in range(0, len(values), _BLOCK):
            block = np.abs(values[start : start + _BLOCK])
            added = block.sum(axis=0, dtype=np.float64)
            if np.isfinite(added).all():
                total += added
                number += len(block)
                continue
            finite = np.isfinite(block)
            total += np.where(finite, block, 0.0).sum(axis=0, dtype=np.float64)
            number += finite.sum(axis=0)
        return np.asarray(total / np.maximum(number, 1), np.float64)

    return _remembered(trace, ("activity", layer.prefix), measure)


def unit_order(trace: Trace, layer: TraceLayer, order: UnitOrder) -> Order:
    """Return all units of a layer from the top.

    By index; by activity, the most active first; or by similarity: the leaves of the average-linkage tree of the
    correlations between the units' hidden states, see :mod:`lstm_studio.engine.likeness`.
    """

    def arrange() -> Order:
        match order:
            case UnitOrder.INDEX:
                return np.arange(layer.units)
            case UnitOrder.ACTIVITY:
                return np.argsort(-activity(trace, layer), kind="stable")
            case UnitOrder.SIMILARITY:
                return leaf_order(correlation_distance(trace[measured_signal(trace, layer)]))

    return _remembered(trace, ("order", layer.prefix, order), arrange)


def units_in_sight(
    trace: Trace,
    layer: TraceLayer,
    order: UnitOrder = UnitOrder.INDEX,
    kept: UnitFilter | None = None,
    pinned: Sequence[int] = (),
) -> Order:
    """Return the units of a layer that are in sight, from the top.

    Pinned units come first, in the order in which they were pinned; then those that the filter keeps, in the given
    order. A layer of which the filter keeps none keeps all.

    Parameters
    ----------
    trace, layer
        Whose units.
    order
        Of those that are not pinned.
    kept
        Which of those; None for all.
    pinned
        Unit numbers; those that the layer does not have are ignored.
    """
    kept = kept or UnitFilter()
    top = tuple(unit for unit in dict.fromkeys(pinned) if 0 <= unit < layer.units)

    def choose() -> Order:
        everyone = unit_order(trace, layer, order)
        chosen = everyone[passing(trace, layer, kept)[everyone]]
        rest = (chosen if chosen.size else everyone).tolist()
        return np.array([*top, *(unit for unit in rest if unit not in set(top))], np.intp)

    return _remembered(trace, ("sight", layer.prefix, order, kept, top), choose)


def passing(trace: Trace, layer: TraceLayer, kept: UnitFilter) -> NDArray[np.bool_]:
    """Return (H,) whether a filter keeps each unit of a layer."""
    keeps = np.ones(layer.units, bool)
    if kept.above is not None:
        keeps &= activity(trace, layer) > kept.above
    if kept.listed:
        keeps &= np.isin(np.arange(layer.units), kept.listed)
    return keeps


def sight_of(result: Result, view: View, remarks: Remarks, group: str) -> Order | None:
    """Return the units in sight of one layer (``"0:lstm.0"``), or None where the result has no such layer."""
    index, _, prefix = group.partition(":")
    if not index.isdecimal() or int(index) >= len(result.traces):
        return None
    trace = result.traces[int(index)]
    layer = next((layer for layer in trace.layers if layer.prefix == prefix), None)
    if layer is None:
        return None
    kept = view.unit_filter if int(index) == 0 else UnitFilter(view.unit_filter.above)
    return units_in_sight(trace, layer, view.order, kept, remarks.pinned.get(group, ()))


def rearranged(result: Result, view: View, remarks: Remarks, groups: Iterable[str]) -> Mapping[str, Order]:
    """Return the units in sight of those layers that do not simply show all by index."""
    found = {}
    for group in groups:
        plain = view.order is UnitOrder.INDEX and view.unit_filter == UnitFilter() and not remarks.pinned.get(group)
        sight = None if plain else sight_of(result, view, remarks, group)
        if sight is not None:
            found[group] = sight
    return MappingProxyType(found)


def pinned_in(remarks: Remarks, group: str, units: int) -> tuple[int, ...]:
    """Return the pinned units that a layer of so many units has, in the order in which they were pinned."""
    return tuple(unit for unit in dict.fromkeys(remarks.pinned.get(group, ())) if 0 <= unit < units)


def beside(shown: Sequence[int] | Order, unit: int, by: int) -> int:
    """Return the unit so many places further down (up, if negative), stopping at the ends.

    From a unit that is out of sight, the first or the last of those in sight is next.
    """
    places = [int(other) for other in shown]
    if unit not in places:
        return places[0] if by > 0 else places[-1]
    return places[max(0, min(places.index(unit) + by, len(places) - 1))]


# The filter as it is typed.

_ABOVE = re.compile(r"(?:>|above\s)\s*(?P<number>[0-9]*[.,]?[0-9]+)")
_RANGE = re.compile(r"(?P<first>[0-9]+)(?:\s*[-–]\s*(?P<last>[0-9]+))?")
_CURE = "Give numbers as in 3, 5, 8–12, or an activity as in > 0.2."


def read_filter(text: str, units: int) -> UnitFilter:
    """Return the filter that a text describes.

    Parameters
    ----------
    text
        ``"3, 5, 8–12"`` (also with ``-`` and spaces), ``"> 0.2"`` or ``"above 0.2"``; empty for all units.
    units
        H of the layer, of which the numbers must be.

    Raises
    ------
    UnitsError
        If it is neither, names a unit that the layer does not have, or a range that runs backwards.
    """
    text = text.strip()
    if not text:
        return UnitFilter()
    above = _ABOVE.fullmatch(text)
    if above is not None:
        return UnitFilter(above=float(above["number"].replace(",", ".")))
    return UnitFilter(listed=read_units(text, units))


def read_units(text: str, units: int) -> tuple[int, ...]:
    """Return the units that a list names, ascending, each once; raises as :func:`read_filter` does."""
    found: set[int] = set()
    for part in re.split(r"[,;]\s*|(?<=[0-9])\s+(?=[0-9])", text.strip()):
        numbers = _RANGE.fullmatch(part.strip())
        if numbers is None:
            raise UnitsError(f"{part.strip() or text!r} is not a list of units.", _CURE)
        first = int(numbers["first"])
        last = first if numbers["last"] is None else int(numbers["last"])
        if last < first:
            raise UnitsError(f"The range {part.strip()} runs backwards.", f"Write {last}–{first}.")
        if last >= units:
            raise UnitsError(f"There is no unit {last}.", f"This layer has the units 0 to {units - 1}.")
        found.update(range(first, last + 1))
    return tuple(sorted(found))


def filter_text(kept: UnitFilter) -> str:
    """Return the text that :func:`read_filter` reads back."""
    return f"> {kept.above:g}" if kept.above is not None else units_text(kept.listed)


def units_text(units: Iterable[int]) -> str:
    """Return units as a list with ranges, ``"3, 5, 8–12"``."""
    runs: list[list[int]] = []
    for unit in sorted(set(units)):
        if runs and unit == runs[-1][1] + 1:
            runs[-1][1] = unit
        else:
            runs.append([unit, unit])
    # Two neighbours read more easily one by one.
    return ", ".join(
        f"{first}" if first == last else f"{first}, {last}" if last == first + 1 else f"{first}–{last}"
        for first, last in runs
    )


def _remembered(trace: Trace, key: tuple[object, ...], make: Callable[[], NDArray[Any]]) -> NDArray[Any]:
    """Return what was made for a trace before, or make it."""
    kept = _kept.setdefault(trace, {})
    if key not in kept:
        made = make()
        made.flags.writeable = False
        while len(kept) >= _MOST_KEPT:
            del kept[next(iter(kept))]
        kept[key] = made
    return kept[key]

"""What a session file says, brought within what there is: a hostile or damaged file may name any step, unit or size."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import chain
from types import MappingProxyType
from typing import Any

from lstm_studio.engine.trace import Trace
from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.sequences.sequence import Sequence, SequenceSet
from lstm_studio.session.plain import good_fields
from lstm_studio.session.state import RECORDED, SECOND, Branch, Comparison, Remarks, Setup, View, branch_key
from lstm_studio.session.wishes import LookingFor, Units, Wish

LARGEST_HIDDEN, MOST_LAYERS = 1 << 16, 1 << 10
LONGEST_NOTE = 10_000
"""Characters."""
_DTYPES = ("float32", "float64")
_DEVICES = ("auto", "cpu")
"""What every machine has; where another was chosen, this one chooses for itself."""
LARGEST_WINDOW = 100_000
"""Pixels."""
MOST_BESIDE = 64
"""Steps beside a stretch that a search looks at."""
_SLOWEST, _FASTEST = 0.1, 1_000.0


def sound_setup(setup: Setup, features: int) -> tuple[Setup, tuple[str, ...]]:
    """Return a setup without what cannot be, and what that was; all but the choice of the sequence.

    Parameters
    ----------
    setup
        As read.
    features
        F of its sequences.
    """
    changes: dict[str, Any] = {}
    wrong = []
    for role in ("network", "companion"):
        spec = getattr(setup, role)
        if spec is not None and not _can_be(spec):
            changes[role] = NetworkSpec()
            wrong.append(f"a {role} of {spec.layers} layers of {spec.hidden_size} units")
    second = setup.second
    if second is not None and second.network is not None and not _can_be(second.network):
        changes["second"] = None
        wrong.append("what it was compared with")
    if setup.piece_length is not None and setup.piece_length < 1:
        changes["piece_length"] = None
        wrong.append(f"pieces of {setup.piece_length} steps")
    if any(len(event) != features for event in setup.events):
        changes["events"] = ()
        wrong.append("added events of another size")
    if setup.dtype not in _DTYPES:
        changes["dtype"] = _DTYPES[0]
        wrong.append(f"the precision {setup.dtype!r:.40}")
    names = [branch.name for branch in setup.branches]
    if len(set(names)) < len(names) or not all(map(_is_branch, setup.branches)):
        changes["branches"] = ()
        wrong.append("its what-ifs")
    if setup.device not in _DEVICES:
        changes["device"] = _DEVICES[0]
    return replace(setup, **changes), tuple(wrong)


def _can_be(spec: NetworkSpec) -> bool:
    sizes = 1 <= spec.hidden_size <= LARGEST_HIDDEN and 1 <= spec.layers <= MOST_LAYERS
    return spec.checkpoint is not None or (sizes and spec.seed >= 0)


def _is_branch(branch: Branch) -> bool:
    steps = (branch.at, *(step for step, _ in branch.events))
    held = chain(branch.clamp, branch.ablate)
    return branch.network in {0, 1} and min(steps) >= 0 and all(name for name, _ in held)


def sound_item(setup: Setup, count: int) -> Setup:
    """Return a setup that shows one of so many sequences, and compares with one of them."""
    second = setup.second
    if second is not None and second.item is not None and not 0 <= second.item < count:
        setup = replace(setup, second=None)
    return setup if 0 <= setup.item < count else replace(setup, item=0, events=(), branches=())


def sound_view(view: View, setup: Setup, steps: int, traces: tuple[Trace, ...]) -> View:
    """Return a view of steps and units that there are.

    Parameters
    ----------
    view
        As read.
    setup
        What it is a view of.
    steps
        T of the shown sequence.
    traces
        Of its networks; none where they have to be computed, and any unit may be.
    """
    units = {group: unit for group, unit in view.units.items() if 0 <= unit < _units(group, traces)}
    stretch = view.stretch
    if stretch is not None and not 0 <= stretch[0] < stretch[1] <= steps:
        stretch = None
    view = replace(
        view,
        cursor=max(0, min(view.cursor, steps - 1)),
        units=MappingProxyType(units),
        layer=None if view.layer is None else max(0, view.layer),
        speed=view.speed if _SLOWEST <= view.speed <= _FASTEST else View().speed,
        stretch=stretch,
        comparison=view.comparison if _can_compare(view.comparison, setup) else None,
    )
    mark = view.mark
    return view if mark is None or 0 <= mark < steps else replace(view, mark=None)


def _units(group: str, traces: tuple[Trace, ...]) -> int:
    if not traces:
        return LARGEST_HIDDEN
    network, _, prefix = group.partition(":")
    if not network.isdecimal() or int(network) >= len(traces):
        return 0
    return next((layer.units for layer in traces[int(network)].layers if layer.prefix == prefix), 0)


def _can_compare(comparison: Comparison | None, setup: Setup) -> bool:
    if comparison is None:
        return True
    known = {RECORDED, *(branch_key(branch.name) for branch in setup.branches)}
    if setup.second is not None:
        known.add(SECOND)
    return {comparison.base, comparison.other} <= known


def sound_remarks(remarks: Remarks, sequences: SequenceSet, shown: tuple[int, Sequence]) -> Remarks:
    """Return the notes that stand at a step that there is, the pins, and what can be looked for.

    Parameters
    ----------
    remarks
        As read.
    sequences
        Scaled and cut.
    shown
        Index of the traced sequence, and that with the events added to it.
    """
    item, sequence = shown
    notes = tuple(
        replace(note, text=note.text[:LONGEST_NOTE])
        for note in remarks.notes
        if note.text.strip()
        and 0 <= note.item < len(sequences)
        and 0 <= note.step < (sequence.steps if note.item == item else sequences[note.item].steps)
    )
    pinned: Mapping[str, tuple[int, ...]] = {
        group: tuple(unit for unit in units if 0 <= unit < LARGEST_HIDDEN) for group, units in remarks.pinned.items()
    }
    similar = _sound_search(remarks.similar)
    return replace(remarks, notes=notes, pinned=MappingProxyType(pinned), similar=similar)


@dataclass(frozen=True, slots=True)
class _Window:
    width: int = 0
    height: int = 0
    maximised: bool = False


def sound_layout(layout: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return a layout of the window without a size or a workspace that cannot be, and what that was.

    The places of panels are left to the window, which passes over those that it cannot follow.
    """
    sound, problems = dict(layout), list[str]()
    if "window" in layout:
        sound["window"], wrong = good_fields(_Window, layout["window"], "layout.window")
        problems += wrong
        for side in ("width", "height"):
            pixels = sound["window"].get(side, 1)
            if not 0 < pixels <= LARGEST_WINDOW:
                del sound["window"][side]
                problems.append(f"layout.window.{side} is {pixels}")
    if not isinstance(layout.get("workspace", ""), str):
        del sound["workspace"]
        problems.append("layout.workspace is no text")
    return sound, tuple(problems)


def _sound_search(similar: LookingFor) -> LookingFor:
    return replace(similar, wishes=MappingProxyType({key: _sound_wish(wish) for key, wish in similar.wishes.items()}))


def _sound_wish(wish: Wish) -> Wish:
    usable = wish.threshold is None or math.isfinite(wish.threshold)
    on = _sound_units(wish.on)
    off = _sound_units(wish.off, on)
    return replace(
        wish,
        threshold=wish.threshold if usable else None,
        margin=max(0, min(wish.margin, MOST_BESIDE)),
        on=on,
        off=off,
        any=_sound_units(wish.any, on + off),
    )


def _sound_units(units: Units, others: Units = ()) -> Units:
    return tuple(sorted(unit for unit in set(units) - set(others) if 0 <= unit < LARGEST_HIDDEN))

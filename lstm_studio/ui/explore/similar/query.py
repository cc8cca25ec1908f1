"""What to look for, from what is on the screen and what was chosen; free of Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lstm_studio.engine.search import Pattern, pattern_of
from lstm_studio.networks.signals import Signal
from lstm_studio.session.state import Result, View
from lstm_studio.session.wishes import Stance, Suggested, Units, Wish
from lstm_studio.ui.explore.gradients import direction_mark
from lstm_studio.ui.explore.layers import ShownLayer, network_names, shown_layers
from lstm_studio.ui.numbers import format_count, format_tick
from lstm_studio.ui.plots.rows import symmetric_levels

NOTCHES = 200
"""Of the threshold over a signal's range."""
_PREACTIVATION = ".preactivation"
_FIRST = "hidden_state"
_SHARE = 0.65
"""Of a signal's range, from the bottom, at which a unit counts as on until the user chooses: 0.3 for −1…1."""


@dataclass(frozen=True, slots=True)
class SignalChoice:
    """One signal in which can be searched.

    Parameters
    ----------
    key
        Network index and canonical name, ``"0:lstm.0.hidden_state"``.
    title
        In the current vocabulary.
    levels
        The range in which its values lie, which is the range of the threshold.
    units
        H.
    """

    key: str
    title: str
    levels: tuple[float, float]
    units: int

    @property
    def network(self) -> int:
        """Index of the network."""
        return int(self.key.partition(":")[0])

    @property
    def name(self) -> str:
        """Canonical name of the signal."""
        return self.key.partition(":")[2]

    @property
    def group(self) -> str:
        """The key of its layer's selected unit in the view, ``"0:lstm.0"``."""
        return self.key.rpartition(".")[0]

    @property
    def threshold(self) -> float:
        """From which value on a unit counts as on until the user chooses."""
        return self.at(_SHARE)

    @property
    def decimals(self) -> int:
        """Digits after the point that tell two notches of the threshold apart."""
        return max(2, math.ceil(-math.log10((self.levels[1] - self.levels[0]) / NOTCHES)))

    def at(self, share: float) -> float:
        """Return the threshold at a share of the range, from its lower end."""
        low, high = self.levels
        return round(low + share * (high - low), self.decimals)


def signal_choices(result: Result, view: View) -> tuple[SignalChoice, ...]:
    """Return the signals of the shown layers, those of the first network first, without pre-activations."""
    shown = shown_layers(result, view)
    names = network_names(result.infos)
    found = []
    for one in shown:
        for signal in one.layer.signals:
            name = f"{one.layer.prefix}.{signal.name}"
            if name in one.trace and not signal.name.endswith(_PREACTIVATION):
                title = _title(one, signal, view, names, shown)
                found.append(SignalChoice(f"{one.network}:{name}", title, _levels(one, signal), one.layer.units))
    return tuple(found)


def first_choice(choices: tuple[SignalChoice, ...]) -> SignalChoice | None:
    """Return the signal that is searched until the user chooses: the first network's hidden state."""
    return next((choice for choice in choices if choice.name.endswith(f".{_FIRST}")), next(iter(choices), None))


def _title(one: ShownLayer, signal: Signal, view: View, names: tuple[str, ...], shown: tuple[ShownLayer, ...]) -> str:
    title = signal.label(view.labels)
    if len(names) > 1:
        title = f"{names[one.network]} {title[:1].lower()}{title[1:]}"
    directions = sum(other.network == one.network for other in shown)
    return f"{title} {direction_mark(one)}" if directions > 1 else title


def _levels(one: ShownLayer, signal: Signal) -> tuple[float, float]:
    if signal.levels is not None:
        return signal.levels
    values = one.trace[f"{one.layer.prefix}.{signal.name}"]
    # At the extremes of the whole array: cheaper than the largest magnitude, which would copy it.
    low, high = (float(end) for end in (np.fmin.reduce(values, axis=None), np.fmax.reduce(values, axis=None)))
    return symmetric_levels(max(-low, high))


@dataclass(frozen=True, slots=True)
class Query:
    """What would be looked for now.

    Parameters
    ----------
    choice
        The signal, or None where the result has none.
    wish
        What the user chose for it.
    threshold
        From which value on a unit is on.
    stretch
        The marked steps, or None.
    on, off
        Those that are looked for.
    problem
        Why nothing can be looked for, and what to do; empty where it can.
    """

    choice: SignalChoice | None
    wish: Wish
    threshold: float
    stretch: tuple[int, int] | None
    on: Units = ()
    off: Units = ()
    problem: str = ""

    @property
    def pattern(self) -> Pattern | None:
        """The pattern, or None where nothing can be looked for."""
        if self.problem or self.stretch is None:
            return None
        return Pattern(self.on, self.off, self.stretch[1] - self.stretch[0], self.wish.margin)

    def stance(self, unit: int) -> Stance:
        """Return what a unit has to be."""
        return Stance.ON if unit in self.on else Stance.OFF if unit in self.off else Stance.ANY


NOTHING_MARKED = (
    "Mark a stretch to look for: hold Shift and drag over the plots, "
    "or press M at its first step and again at its last."
)

_NO_UNITS = "Nothing here has units that could be compared: open a network with recurrent layers."


def make_query(result: Result, choice: SignalChoice | None, wish: Wish, stretch: tuple[int, int] | None) -> Query:
    """Return what a marked stretch and the user's choices come to."""
    if choice is None:
        return Query(None, wish, 0.0, stretch, problem=_NO_UNITS)
    threshold = choice.threshold if wish.threshold is None else wish.threshold
    if stretch is None or stretch[1] > result.sequence.steps:
        return Query(choice, wish, threshold, None, problem=NOTHING_MARKED)
    trace = result.traces[choice.network]
    found = pattern_of(trace, choice.name, *stretch, threshold, margin=wish.margin, with_off=True)
    on, off = wish.chosen(found.on, found.off, choice.units)
    problem = "" if on or off else _nothing_chosen(wish, threshold)
    return Query(choice, wish, threshold, stretch, on, off, problem)


def _nothing_chosen(wish: Wish, threshold: float) -> str:
    if wish.suggested is Suggested.NONE:
        return "No unit is chosen. Say in the list which have to be on, or off."
    beside = f", and on the other side in the {steps_words(wish.margin)} before and after" if wish.margin else ""
    fewer = "fewer steps beside it" if wish.margin else "fewer steps"
    if wish.suggested is Suggested.BOTH:
        return f"No unit is on throughout, or off{beside}. Move the threshold, or take {fewer}."
    return (
        f"No unit is at {format_tick(threshold)} or above throughout{beside}. "
        f"Lower the threshold, take {fewer}, or look for what is off as well."
    )


def steps_words(count: int) -> str:
    """Return ``"1 step"``, ``"3 steps"``."""
    return f"{format_count(count)} step{'' if count == 1 else 's'}"


def stretch_words(start: int, stop: int) -> str:
    """Return a stretch in the numbers on the screen, ``"10–15"``."""
    first, last = format_count(start + 1), format_count(stop)
    return first if first == last else f"{first}–{last}"


def count_words(query: Query) -> str:
    """Return how many units are looked for, ``"3 of 16 units on, 2 off"``."""
    if query.choice is None or query.stretch is None:
        return ""
    every = f"of {format_count(query.choice.units)} units"
    on, off = format_count(len(query.on)), format_count(len(query.off))
    return f"{on} {every} on, {off} off" if query.off else f"{on} {every} on"

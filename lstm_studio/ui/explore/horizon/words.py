"""What the pages of the memory horizon say, in either vocabulary; free of Qt."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from lstm_studio.networks.signals import Labels, Role, Signal
from lstm_studio.session.horizon import DIRECT_PATH, SHARES, LagCurve, Reach
from lstm_studio.session.saturation import GateSaturation
from lstm_studio.session.state import Result
from lstm_studio.session.whose_loss import LossShares
from lstm_studio.ui.explore.gradients import direction_mark
from lstm_studio.ui.explore.layers import ShownLayer, network_names
from lstm_studio.ui.numbers import format_count, format_number, format_scientific

MEMORIES = (Role.LONG_TERM, Role.SHORT_TERM, Role.RECURRENT)
SHARE_TEXTS = ("1 %", "1e−6")
"""The shares of :data:`~lstm_studio.session.horizon.SHARES`, as they are written."""
_LETTER = re.compile(r"<i>(.+?)</i>")
_EXACT_DECADES = 300
"""Magnitudes between these powers of ten are numbers that can be formatted as such."""


@dataclass(frozen=True, slots=True)
class NamedCurve:
    """A curve with what the window calls it; equal to another of the same curve with the same names.

    Parameters
    ----------
    curve
        The numbers.
    network
        ``"LSTM"``; with an arrow where there are two directions.
    label
        ``"∂c"``, or ``"∏f"`` for the product of forget gates.
    title
        ``"LSTM cell state"``.
    role
        Decides the colour.
    """

    curve: LagCurve
    network: str
    label: str
    title: str
    role: Role

    @property
    def direct(self) -> bool:
        """Whether it is the product of the forget gates, past all weights."""
        return self.curve.state == DIRECT_PATH

    @property
    def full_name(self) -> str:
        """Network and label, ``"LSTM ∂c"``."""
        return f"{self.network} {self.label}"


def memories_of(shown: ShownLayer) -> tuple[Signal, ...]:
    """Return the states of a layer that carry memory, the long-term one first."""
    found = [signal for signal in shown.layer.signals if signal.role in MEMORIES and "." not in signal.name]
    return tuple(sorted(found, key=lambda signal: MEMORIES.index(signal.role)))


def layer_name(result: Result, shown: ShownLayer, every: Sequence[ShownLayer]) -> str:
    """Return the network's short name, with an arrow where two of its directions are shown."""
    directions = sum(other.network == shown.network for other in every)
    return network_names(result.infos)[shown.network] + (f" {direction_mark(shown)}" if directions > 1 else "")


def named_curves(
    result: Result, shown: Sequence[ShownLayer], curves: Iterable[LagCurve], labels: Labels
) -> tuple[NamedCurve, ...]:
    """Return the curves of the shown layers: of each its memories, the long-term one first, then its direct path."""
    by_place = {(curve.network, curve.prefix, curve.state): curve for curve in curves}
    found = []
    for one in shown:
        network = layer_name(result, one, shown)
        for signal in memories_of(one):
            curve = by_place.get((one.network, one.layer.prefix, signal.name))
            if curve is not None:
                title = f"{network} {_lower(signal.label(labels))}"
                found.append(NamedCurve(curve, network, f"∂{letter(signal)}", title, signal.role))
        direct = by_place.get((one.network, one.layer.prefix, DIRECT_PATH))
        if direct is not None:
            gate = next((s for s in one.layer.signals if s.role is Role.FORGET and s.levels == (0.0, 1.0)), None)
            label, title = (
                ("direct", "direct path") if gate is None else (f"∏{gate.badge}", f"{_lower(gate.label(labels))}s")
            )
            found.append(NamedCurve(direct, network, label, f"{network} {title} alone", Role.LONG_TERM))
    return tuple(found)


def letter(signal: Signal) -> str:
    """Return the letter of a signal's symbol, ``"c"``."""
    found = _LETTER.search(signal.symbol)
    return found[1] if found else signal.badge


def _lower(text: str) -> str:
    return f"{text[:1].lower()}{text[1:]}"


# Numbers.


def format_power(log10: float, decimals: int = 1) -> str:
    """Write a magnitude given by its logarithm, however small: ``0.42``, ``3.7e−12``, ``1.2e−2000``; ``0`` for −∞."""
    if math.isnan(log10) or log10 == math.inf:
        return "NaN" if math.isnan(log10) else "∞"
    if log10 == -math.inf:
        return "0"
    if abs(log10) < _EXACT_DECADES:
        value = 10.0**log10
        return format_number(value) if 0.01 <= value < 1000 else format_scientific(value, decimals)
    exponent = math.floor(log10)
    mantissa = f"{10.0 ** (log10 - exponent):.{decimals}f}"
    if mantissa.startswith("10"):
        mantissa, exponent = f"{1.0:.{decimals}f}", exponent + 1
    return f"{mantissa}e{exponent}".replace("-", "−")


def format_size(value: float) -> str:
    """Write a gradient or a signed part of one: with two decimals near one, else with an exponent."""
    return format_number(value) if 0.1 <= abs(value) < 1000 else format_scientific(value)


def format_reach(reach: Reach | None, between: tuple[Reach, Reach] | None = None) -> str:
    """Write from which lag on a curve stays below: ``"7"``, ``"> 49"`` for never, ``"≈ 7"`` where it is estimated."""
    if reach is None:
        return "–"
    number = f"> {format_count(reach.longest)}" if reach.below is None else format_count(reach.below)
    return number if between is None or between[0].below == between[1].below else f"≈ {number}"


def reach_words(named: NamedCurve, share: int) -> str:
    """Say in a sentence where a curve falls below one of the shares."""
    found, text = named.curve.reach(SHARES[share]), SHARE_TEXTS[share]
    if found is None:
        return (
            f"{named.title}: nothing is felt at step {format_count(named.curve.end + 1)}, so there are no shares of it."
        )
    if found.below is None:
        words = f"{named.title}: at the start of the sequence, {steps_back(found.longest)}, still {text} or more"
    else:
        words = f"{named.title}: less than {text} from {steps_back(found.below)} on"
    if found.first is not None and found.first != found.below:
        words += f"; less for the first time {steps_back(found.first)}, then more again"
    between = named.curve.reach_between(SHARES[share])
    if between is not None:
        words += f"; estimated, between {format_reach(between[0])} and {format_reach(between[1])}"
    return f"{words}."


def steps_back(lag: int) -> str:
    """Write a lag: ``"1 step back"``."""
    return f"{format_count(lag)} {'step' if lag == 1 else 'steps'} back"


def horizon_summary(curves: Sequence[NamedCurve]) -> str:
    """Return the lags of all curves in one sentence, for screen readers."""
    parts = []
    for named in curves:
        found = named.curve.reach(SHARES[0])
        if found is None:
            parts.append(f"{named.title}: nothing to measure")
        elif found.below is None:
            parts.append(f"{named.title} keeps {SHARE_TEXTS[0]} for more than {format_count(found.longest)} steps")
        else:
            parts.append(f"{named.title} falls below {SHARE_TEXTS[0]} {steps_back(found.below)}")
    return "; ".join(parts)


# Numbers to take away: columns with tabulators between them, as spreadsheets paste them.


def horizon_table(curves: Sequence[NamedCurve], measure: str) -> str:
    """Return all curves by lag: log10 of the shares of their start, as they are drawn, and the reaches above."""
    lines = [f"{measure}, log10 by steps back"]
    for text, share in zip(SHARE_TEXTS, SHARES, strict=True):
        reaches = (format_reach(one.curve.reach(share), one.curve.reach_between(share)) for one in curves)
        lines.append("\t".join([f"below {text} from", *reaches]))
    lines.append("\t".join(["steps back", *(named.title for named in curves)]))
    longest = max((len(named.curve.logs) for named in curves), default=0)
    for lag in range(longest):
        shares = (named.curve.relative() for named in curves)
        lines.append("\t".join([str(lag), *(_share(values[lag]) if lag < len(values) else "" for values in shares)]))
    return "\n".join(lines)


def _share(log: float) -> str:
    return "–" if np.isnan(log) else f"{log:.6g}"


def losses_table(parts: Sequence[LossShares], names: Sequence[str]) -> str:
    """Return the share of every step's loss in the gradient at every step, one block for each network."""
    blocks = []
    for part, name in zip(parts, names, strict=True):
        steps = range(1, len(part.total) + 1)
        rows = ["\t".join([f"{name}: loss at step \\ gradient at step", *map(str, steps)])]
        rows += ["\t".join([str(step), *(f"{value:.6g}" for value in part.shares[step - 1])]) for step in steps]
        rows.append("\t".join(["sum", *(f"{value:.6g}" for value in part.total)]))
        blocks.append("\n".join(rows))
    return "\n\n".join(blocks)


def gates_table(gates: Sequence[GateSaturation], titles: Sequence[str]) -> str:
    """Return for every unit, or block of units, the share of steps at which each gate is shut and open."""
    heads = [f"{title} {side}" for title in titles for side in ("< 0.1", "> 0.9")]
    lines = ["\t".join(["unit", *heads])]
    for unit in range(max((len(gate.shut) for gate in gates), default=0)):
        cells = [
            f"{values[unit]:.6g}" if unit < len(values) else "" for gate in gates for values in (gate.shut, gate.open)
        ]
        lines.append("\t".join([str(unit), *cells]))
    return "\n".join(lines)


def percent(share: float) -> str:
    """Write a share in whole per cent; ``"–"`` where nothing is known."""
    return "–" if np.isnan(share) else f"{100 * share:.0f} %"

"""The gradient magnitudes that rows and inspector show: one curve for each memory of each network."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from lstm_studio.networks.signals import Role
from lstm_studio.session.state import Result
from lstm_studio.ui.explore.layers import ShownLayer, network_names

_MEMORIES = (Role.LONG_TERM, Role.SHORT_TERM, Role.RECURRENT)
_LETTER = re.compile(r"<i>(.+?)</i>")


@dataclass(frozen=True, eq=False, slots=True)
class MemoryGradient:
    """‖∂L/∂m‖ at every step, for one memory m of one network.

    Parameters
    ----------
    network
        Index of the network.
    name
        Its short name, ``"LSTM"``; with the direction where there are two.
    letter
        Of the memory, ``"c"``.
    role
        Of the memory; decides colour and line.
    values
        (T,) float64, not negative, where finite.
    """

    network: int
    name: str
    letter: str
    role: Role
    values: NDArray[Any]


def memory_gradients(result: Result, shown: tuple[ShownLayer, ...]) -> tuple[MemoryGradient, ...]:
    """Return the curves of the shown layers, as far as their traces hold gradients."""
    names = network_names(result.infos)
    found: list[MemoryGradient] = []
    for one in shown:
        directions = sum(other.network == one.network for other in shown)
        name = names[one.network] + (f" {direction_mark(one)}" if directions > 1 else "")
        for signal in one.layer.signals:
            full = f"norm.grad.{one.layer.prefix}.{signal.name}"
            # Pre-activations share the role of what they become.
            if signal.role not in _MEMORIES or "." in signal.name or full not in one.trace:
                continue
            letter = _LETTER.search(signal.symbol)
            found.append(
                MemoryGradient(one.network, name, letter[1] if letter else signal.badge, signal.role, one.trace[full])
            )
    return tuple(found)


def direction_mark(shown: ShownLayer) -> str:
    """Return an arrow for the direction in which a layer reads."""
    return "←" if shown.backward else "→"


def objective_words(result: Result) -> str:
    """Return the differentiated scalar as rich text, ``"L = Σ h_50"``; empty without gradients."""
    objective = result.traces[0].provenance.objective if result.traces else ""
    kind, *rest = objective.split(":")
    match kind, rest:
        case "last-hidden", []:
            return f"<i>L</i> = Σ <i>h</i><sub>{result.sequence.steps}</sub>"
        case "hidden", [step, unit]:
            number = int(step) + 1 if step.isdecimal() else step
            return f"<i>L</i> = <i>h</i><sub>{number}</sub>, unit {unit}"
        case "target", []:
            return "<i>L</i> = target loss"
        case "next-step", []:
            return "<i>L</i> = next-step error"
    return f"<i>L</i> = {objective}" if objective else ""

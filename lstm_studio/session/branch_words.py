"""What-ifs in words: their names in both vocabularies, what they do in a sentence, and what they come to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lstm_studio.engine.trace import Trace, TraceLayer
from lstm_studio.networks.cells import cells
from lstm_studio.networks.signals import INPUT, Labels
from lstm_studio.runs.format import SNAPSHOTS
from lstm_studio.session.state import Branch, Result, Second

_MOST_UNITS = 6
"""Units named one by one or as ranges; more are counted."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a trace comes to at its last step.

    Parameters
    ----------
    name
        The likeliest class, the predicted value, or what is measured where there is no read-out.
    value
        Its probability, the value itself, or the measure.
    """

    name: str
    value: float


def title_of(branch: Branch, result: Result, labels: Labels) -> str:
    """Return the branch's name; one that it was given by :func:`default_name` in the vocabulary of the window."""
    for other in Labels:
        default = default_name(branch, result, other)
        if branch.name.startswith(default):
            number = branch.name[len(default) :]
            if not number or (number.startswith(" (") and number.endswith(")") and number[2:-1].isdecimal()):
                return default_name(branch, result, labels) + number
    return branch.name


def default_name(branch: Branch, result: Result, labels: Labels) -> str:
    """Return a name that says what is changed, steps counted from 1: ``"Forget gate of unit 3 = 1 from 37"``."""
    parts = []
    if branch.events:
        parts.append(_events_name(branch, result, labels))
    for prefix, units in branch.ablate:
        layer = _layer_of(branch, result, prefix)
        total = 0 if layer is None else layer.units
        parts.append(f"Ablate {_units(units, total)}{_whose(branch, result, prefix)}{_span(branch)}")
    parts += [_clamp_name(branch, result, labels, name, dict(held)) for name, held in branch.clamp]
    return "; ".join(parts)


def sentence_of(branch: Branch, result: Result) -> str:
    """Return in a few words what goes on, ``"held from step 37 on"``."""
    parts = []
    if branch.ablate:
        parts.append(f"held at zero {_when(branch)}")
    if branch.clamp:
        once = branch.until == branch.at + 1
        parts.append(f"set once, at step {branch.at + 1}" if once else f"held {_when(branch)}")
    if branch.events:
        both_ways = any(info.bidirectional for info in result.infos)
        parts.append("recomputed from both ends" if both_ways else "every later step recomputed")
    return ", ".join(parts)


def second_title(second: Second, result: Result) -> str:
    """Return a name for what else is traced: its network, its sequence, or both."""
    parts = []
    if second.network is not None:
        spec = second.network
        info = result.second[1] if result.second is not None else None
        kind = info.title if info is not None else spec.kind.upper()
        shown = result.setup.network.checkpoint
        parts.append(_file_title(spec.checkpoint, shown) if spec.checkpoint else f"{kind}, seed {spec.seed}")
    if second.item is not None:
        number = f"Sequence {second.item + 1}"
        parts.append(number if not parts else number.lower())
    return ", ".join(parts)


def _file_title(checkpoint: str, shown: str | None) -> str:
    """Return a name for a file of weights by which it can be told from that of the shown network."""
    path = Path(checkpoint)
    if path.parent.parent.name == SNAPSHOTS and path.parent.name.isdecimal():
        return f"Snapshot {int(path.parent.name):,}"
    if shown is not None and Path(shown).name == path.name and Path(shown) != path:
        return f"{path.parent.name}/{path.name}"
    return path.name


def outcome_of(trace: Trace, result: Result, recorded: Trace | None = None) -> Outcome | None:
    """Return what a trace comes to: the read-out's answer, or for want of one the last hidden state.

    Parameters
    ----------
    trace
        Of the branch, or any other.
    result
        Whose classes the read-out may answer with.
    recorded
        What the last hidden state is compared with; None for its norm alone.
    """
    if "output" in trace:
        last = np.asarray(trace["output"][-1], np.float64)
        classes = result.sequences.classes
        if len(classes) == len(last):
            likeliest = int(np.argmax(np.nan_to_num(last, nan=-np.inf)))
            return Outcome(classes[likeliest], float(last[likeliest]))
        names = result.sequences.names
        return Outcome(f"next {names[0]}" if len(names) == len(last) else "output", float(last[0]))
    forwards = [layer for layer in trace.layers if not layer.prefix.endswith(".reverse")]
    if not forwards:
        return None
    name = f"{forwards[-1].prefix}.{cells()[forwards[-1].kind].states[0]}" if forwards[-1].kind in cells() else ""
    if name not in trace:
        return None
    hidden = np.asarray(trace[name][-1], np.float64)
    if recorded is None or name not in recorded or recorded[name].shape[1] != len(hidden):
        return Outcome("‖h‖", float(np.linalg.norm(hidden)))
    return Outcome("Δh", float(np.linalg.norm(hidden - recorded[name][-1])))


def number_words(value: float) -> str:
    """Write a held or changed value as briefly as it can be told: ``"−0.2"``."""
    return f"{value:.4g}".replace("-", "−")


def spans(numbers: Iterable[int]) -> str:
    """Write numbers as ranges, ``"3, 5–8"``."""
    parts: list[list[int]] = []
    for number in sorted(set(numbers)):
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ", ".join(f"{first}" if first == last else f"{first}–{last}" for first, last in parts)


def _events_name(branch: Branch, result: Result, labels: Labels) -> str:
    word = INPUT.label(labels)
    if len(branch.events) > 1:
        return f"{word}s at {spans(step + 1 for step, _ in branch.events)} changed"
    step, changes = branch.events[0]
    sequence = result.sequence
    what = f"{len(changes)} features changed"
    if sequence.symbols is not None and step < sequence.steps:
        chosen = [feature for feature, value in changes if value == 1]
        if len(chosen) == 1 and chosen[0] < sequence.features:
            what = f"{sequence.symbols[step]} → {sequence.names[chosen[0]]}"
    elif len(changes) == 1 and step < sequence.steps and changes[0][0] < sequence.features:
        feature, value = changes[0]
        assert sequence.raw is not None  # noqa: S101 - Sequence fills it
        name = f"{sequence.names[feature]} " if sequence.features > 1 else ""
        what = f"{name}{number_words(float(sequence.raw[step, feature]))} → {number_words(value)}"
    return f"{word} at {step + 1}: {what}"


def _clamp_name(branch: Branch, result: Result, labels: Labels, name: str, held: dict[int, float]) -> str:
    layer = next((one for one in _layers(branch, result) if name.startswith(f"{one.prefix}.")), None)
    prefix = name.rpartition(".")[0] if layer is None else layer.prefix
    signal = name[len(prefix) + 1 :]
    declared = next((one for one in (layer.signals if layer else ()) if one.name == signal), None)
    title = declared.label(labels) if declared is not None else signal.replace("_", " ")
    values = set(held.values())
    value = f" = {number_words(values.pop())}" if len(values) == 1 else " held"
    total = 0 if layer is None else layer.units
    return f"{title} of {_units(tuple(held), total)}{_whose(branch, result, prefix)}{value}{_span(branch)}"


def _layers(branch: Branch, result: Result) -> tuple[TraceLayer, ...]:
    return result.traces[branch.network].layers if branch.network < len(result.traces) else ()


def _layer_of(branch: Branch, result: Result, prefix: str) -> TraceLayer | None:
    return next((layer for layer in _layers(branch, result) if layer.prefix == prefix), None)


def _units(units: tuple[int, ...], total: int) -> str:
    if len(units) == total and total > 1:
        return "all units"
    if len(units) == 1:
        return f"unit {units[0]}"
    ranges = spans(units)
    return f"units {ranges}" if ranges.count(",") < _MOST_UNITS else f"{len(units)} units"


def _whose(branch: Branch, result: Result, prefix: str) -> str:
    """Say which layer and network, where there is a choice."""
    words = ""
    prefixes = [layer.prefix for layer in _layers(branch, result)]
    if len(prefixes) > 1 and prefix in prefixes:
        words += f", layer {prefixes.index(prefix) + 1}"
    if prefixes and branch.network > 0:
        words += f", {result.infos[branch.network].title.split()[-1]}"
    return f"{words}," if words and branch.clamp else words


def _span(branch: Branch) -> str:
    """Return when, as part of a name; nothing for the whole sequence."""
    if branch.until == branch.at + 1:
        return f" at {branch.at + 1}"
    if branch.until is not None:
        return f" from {branch.at + 1} to {branch.until}"
    return f" from {branch.at + 1}" if branch.at else ""


def _when(branch: Branch) -> str:
    if branch.until is not None:
        steps = branch.until - branch.at
        return f"at step {branch.at + 1}" if steps == 1 else f"in steps {branch.at + 1} to {branch.until}"
    return f"from step {branch.at + 1} on" if branch.at else "at every step"

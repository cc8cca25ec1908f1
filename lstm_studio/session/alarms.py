"""What may be going wrong in a training: each with what was measured, and at which step.

Every alarm looks at what is new and never again at what it has seen, so that it costs the same however long the run is.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstm_studio.runs.like import Curve, Status
from lstm_studio.session.pictures import Followed, RunPicture
from lstm_studio.session.run_words import format_size, is_held_out, main_loss, number_words
from lstm_studio.session.symptoms import Jumps, Odd, Streak

_CONSTANT = 1e-4
"""A whole gate or state whose values deviate by less is constant."""


class Grade(StrEnum):
    """How bad it is."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When there is an alarm; None for never.

    Parameters
    ----------
    vanishing
        Part of the largest gradient that is left at the furthest lag.
    exploding
        How many times the median before it a gradient or an update is.
    loss
        The same of the loss.
    saturated
        Share of a gate's values below 0.1 or above 0.9.
    closed
        Share of the forget gate's values below 0.1.
    dead
        Share of the units that do not change over the sampled sequence.
    silent
        Seconds without a sign of life of a training that goes on.
    """

    vanishing: float | None = 1e-12
    exploding: float | None = 100.0
    loss: float | None = 10.0
    saturated: float | None = 0.98
    closed: float | None = 0.5
    dead: float | None = 0.2
    silent: float | None = 10.0

    @classmethod
    def from_mapping(cls, found: Mapping[str, Any]) -> Thresholds:
        """Return thresholds that were written with ``dataclasses.asdict``; what makes no sense is as at first."""
        good: dict[str, float | None] = {}
        for key in (field.name for field in fields(cls)):
            value = found.get(key, False)
            low, high = LIMITS[key]
            if value is None:
                good[key] = None
            elif isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high:
                good[key] = float(value)
        return cls(**good)


LIMITS: Mapping[str, tuple[float, float]] = {
    "vanishing": (1e-300, 1.0),
    "exploding": (1.5, 1e9),
    "loss": (1.5, 1e9),
    "saturated": (0.01, 1.0),
    "closed": (0.01, 1.0),
    "dead": (0.01, 1.0),
    "silent": (3.0, 86_400.0),
}
"""Smallest and largest value that each threshold may have."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something to look at.

    Parameters
    ----------
    address
        Of which run.
    kind
        Of alarm, one word.
    grade
        How bad it is.
    title
        In a few words.
    told
        What was measured.
    step
        Where to look; None where that is no step.
    about
        Which signal, where there may be several alarms of a kind.
    """

    address: str
    kind: str
    grade: Grade
    title: str
    told: str
    step: int | None = None
    about: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """What is muted with it."""
        return self.address, self.kind, self.about


_GRADES = tuple(Grade)


class AlarmWatch:
    """Watches one run.

    Parameters
    ----------
    thresholds
        When there is an alarm. With other ones a new watch has to be begun.
    """

    def __init__(self, thresholds: Thresholds) -> None:
        self._limits = thresholds
        self._jumps: dict[str, Jumps] = {}
        self._streaks: dict[str, Streak] = {}
        self._odd: dict[str, Odd] = {}

    def look(self, followed: Followed) -> tuple[Alarm, ...]:
        """Return what there is to say of a run as it is now, the worst first."""
        if followed.error is not None:
            error = followed.error
            told = f"{error.found} {error.cure}".strip()
            return (Alarm(followed.address, "unreadable", Grade.ERROR, "Cannot be read", told),)
        picture = followed.picture
        if picture is None:
            return ()
        found = [alarm for rule in _RULES for alarm in rule(self, picture)]
        return tuple(sorted(found, key=lambda alarm: _GRADES.index(alarm.grade)))

    # What has happened.

    def died(self, picture: RunPicture) -> Iterator[Alarm]:
        """Say that it has ended without having come to its end."""
        if picture.status is not Status.DIED:
            return
        last = picture.events[-1] if picture.events else {}
        why = str(last.get("error") or last.get("reason") or "")
        told = f"{why[:300]}" if why else "It has not told of its end."
        if picture.last_step >= 0:
            told += f" Last heard of at step {number_words(picture.last_step)}."
        yield Alarm(picture.address, "died", Grade.ERROR, "Run died", told, _known(picture.last_step))

    def events(self, picture: RunPicture) -> Iterator[Alarm]:
        """Say what the recorder has said."""
        dropped, uncaptured, reason, where = 0, 0, "", -1
        for event in picture.events:
            match event.get("event"):
                case "dropped":
                    dropped += _whole(event.get("records"))
                case "not captured":
                    uncaptured, reason = uncaptured + 1, str(event.get("reason", ""))
                    where = _whole(event.get("step"))
                case "stopped" if picture.status is not Status.DIED:
                    told = str(event.get("reason", ""))[:300]
                    yield Alarm(picture.address, "stopped", Grade.ERROR, "Recording has stopped", told)
                case "nothing captured" if not any(step > _whole(event.get("step")) for step in picture.steps[-1:]):
                    told = (
                        "No recurrent layer was called in the sampled steps. Is it this model that trains? "
                        "A compiled model has to be watched before it is compiled."
                    )
                    yield Alarm(
                        picture.address, "nothing", Grade.ERROR, "Nothing is captured", told, _whole(event.get("step"))
                    )
        if uncaptured and not any(step > where for step in picture.steps[-1:]):
            told = f"{reason[:300]} (at {number_words(uncaptured)} sampled step{'s' if uncaptured != 1 else ''})"
            yield Alarm(picture.address, "uncaptured", Grade.WARNING, "The sampled steps have no trace", told, where)
        if dropped:
            told = f"{number_words(dropped)} records came faster than they could be written."
            yield Alarm(picture.address, "dropped", Grade.WARNING, "Records were dropped", told)

    def silence(self, picture: RunPicture) -> Iterator[Alarm]:
        """Say that nothing arrives of a run that should go on."""
        if picture.status is not Status.RUNNING or self._limits.silent is None:
            return
        seconds = picture.silent
        if seconds > self._limits.silent:
            told = f"Last heard of {number_words(round(seconds))} s ago; its recorder tells every 2 s that it lives."
            yield Alarm(picture.address, "silent", Grade.WARNING, "Nothing arrives", told)
        elif picture.last_step < 0 and _age(picture) > self._limits.silent:
            told = "The recorder lives, but run.step has not been called: it is called once after each update."
            yield Alarm(picture.address, "unstepped", Grade.WARNING, "Nothing arrives", told)

    def lacking(self, picture: RunPicture) -> Iterator[Alarm]:
        """Say what the log of another tool does not hold, and what could not be read."""
        if picture.problems:
            count = len(picture.problems)
            title = f"{number_words(count)} record{'s' if count != 1 else ''} could not be read"
            yield Alarm(picture.address, "damaged", Grade.WARNING, title, picture.problems[0][:300])
        if picture.lacks:
            title = "Not everything is in this log" if picture.statistics else "No gates in this log"
            yield Alarm(picture.address, "lacking", Grade.NOTE, title, " ".join(picture.lacks))

    # What was measured.

    def non_finite(self, picture: RunPicture) -> Iterator[Alarm]:
        """Say where something is not a number, or infinite, first."""
        first: tuple[int, str, float] | None = None
        for group in (picture.scalars, picture.parameters, picture.statistics):
            for name, curve in group.items():
                odd = self._odd.setdefault(name, Odd())
                odd.look(curve)
                if odd.step is not None and (first is None or odd.step < first[0]):
                    first = odd.step, name, odd.value
        if first is not None:
            step, name, value = first
            told = f"{name} is {format_size(value)} at step {number_words(step)}, for the first time."
            yield Alarm(picture.address, "non-finite", Grade.ERROR, "Not finite", told, _known(step))

    def exploding(self, picture: RunPicture) -> Iterator[Alarm]:
        """Say where a gradient, an update or the loss has jumped."""
        for kind, title, curve, limit in (
            ("exploding-gradient", "Gradient exploded", _norm(picture, "gradient_norm"), self._limits.exploding),
            ("exploding-update", "Update exploded", _norm(picture, "update_norm"), self._limits.exploding),
            ("exploding-loss", "Loss jumped", main_loss(picture), self._limits.loss),
        ):
            if curve is None or limit is None:
                continue
            name, points = curve
            jumps = self._jumps.setdefault(kind, Jumps(limit))
            jumps.look(points)
            if jumps.count:
                told = f"{name} from {format_size(jumps.before)} to {format_size(jumps.peak)}"
                if jumps.back is not None:
                    told += f", under {format_size(2 * jumps.before)} again at step {number_words(jumps.back)}"
                told += "."
                if jumps.count > 1:
                    told += f" It has happened {number_words(jumps.count)} times."
                where = f"{title} at step {number_words(jumps.step)}"
                # Another one is another alarm, also after the last has been muted.
                yield Alarm(picture.address, kind, Grade.ERROR, where, told, _known(jumps.step), str(jumps.step))

    def vanishing(self, picture: RunPicture) -> Iterator[Alarm]:
        """Say where next to nothing of the gradient is left far back in time."""
        for name, (steps, norms) in picture.lags.items():
            if not name.endswith(".hidden_state") or not len(steps) or is_held_out(picture, name):
                continue
            prefix, spacing = name.rpartition(".")[0], picture.lag_spacing.get(name, 1)
            left = self._streak(f"left {name}")
            zero = self._streak(f"zero {name}")
            fresh = left.fresh((steps, norms))
            if len(fresh[0]):
                share, empty = _left(fresh[1])
                limit = self._limits.vanishing
                left.add(fresh[0], share < limit if limit is not None else np.zeros(len(share), bool), share)
                zero.add(fresh[0], np.isfinite(empty), empty)
            last_lag = (norms.shape[1] - 1) * spacing
            if zero.holds:
                lag = number_words(int(zero.value) * spacing)
                told = (
                    f"In {prefix}, at lag {lag} and beyond, since step {number_words(zero.since)}: "
                    "it is below the smallest number of its precision. Nothing of it reaches further back."
                )
                step = _known(zero.last)
                yield Alarm(picture.address, "zero", Grade.ERROR, "Gradient is exactly 0", told, step, prefix)
            elif left.holds:
                told = (
                    f"In {prefix}, {format_size(left.value)} of its largest norm is left at lag "
                    f"{number_words(last_lag)}; below {format_size(self._limits.vanishing or 0)} since step "
                    f"{number_words(left.since)}."
                )
                step = _known(left.last)
                yield Alarm(picture.address, "vanishing", Grade.WARNING, "Vanishing gradient", told, step, prefix)

    def gates(self, picture: RunPicture) -> Iterator[Alarm]:
        """Say which gates are at the ends of their range."""
        for name, low in picture.statistics.items():
            if not name.endswith(".below_0.1"):
                continue
            gate = name.removesuffix(".below_0.1")
            words = _gate_words(gate)
            high = picture.statistics.get(f"{gate}.above_0.9")
            forgets = gate.endswith(".forget_gate")
            closed = self._follow(f"closed {gate}", low, low, self._limits.closed if forgets else None)
            if closed.holds:
                mean = picture.statistics.get(f"{gate}.mean")
                told = f"{_percent(closed.value)} of the values of {words} are below 0.1"
                told += f"; mean {mean[1][-1]:.2f}" if mean is not None and len(mean[1]) else ""
                bias = _first_bias(picture, gate)
                told += f". Its bias began at {bias:.1f}.".replace("-", "−") if bias is not None else "."
                step = _known(closed.last)
                yield Alarm(picture.address, "closed", Grade.ERROR, "Forget gates closed", told, step, gate)
            elif high is not None and len(high[0]) == len(low[0]):
                saturated = self._follow(f"saturated {gate}", low, high, self._limits.saturated)
                if saturated.holds:
                    told = (
                        f"{_percent(saturated.value)} of the values of {words} are below 0.1 or above 0.9, "
                        f"since step {number_words(saturated.since)}: next to no gradient passes there."
                    )
                    step = _known(saturated.last)
                    yield Alarm(picture.address, "saturated", Grade.WARNING, "Gate saturated", told, step, gate)

    def dead(self, picture: RunPicture) -> Iterator[Alarm]:
        """Say which gates and hidden states do not change."""
        for name, curve in picture.statistics.items():
            signal, _, kind = name.rpartition(".")
            if kind == "constant":
                streak = self._follow(f"dead {name}", curve, None, self._limits.dead)
                told = f"{_percent(streak.value)} of the units of {_gate_words(signal)} do not change over the sequence"
            elif kind == "deviation" and f"{signal}.constant" not in picture.statistics:
                if not signal.endswith(("_gate", ".hidden_state")) or self._limits.dead is None:
                    continue
                streak = self._streak(f"constant {name}")
                steps, values = streak.fresh(curve)
                streak.add(steps, values < _CONSTANT, values)
                told = f"All values of {_gate_words(signal)} are the same but for {format_size(streak.value)}"
            else:
                continue
            if streak.holds:
                told += f", since step {number_words(streak.since)}."
                step = _known(streak.last)
                yield Alarm(picture.address, "dead", Grade.WARNING, "Dead units", told, step, signal)

    def _streak(self, key: str) -> Streak:
        return self._streaks.setdefault(key, Streak())

    def _follow(self, key: str, low: Curve, high: Curve | None, limit: float | None) -> Streak:
        """Return for how long a share, or the sum of two different ones, has been at its limit."""
        streak = self._streak(key)
        steps, values = streak.fresh(low)
        if high is not None and high is not low:
            values = values + high[1][len(low[0]) - len(steps) :]
        streak.add(steps, values >= limit if limit is not None else np.zeros(len(values), bool), values)
        return streak


_RULES = (
    AlarmWatch.died,
    AlarmWatch.non_finite,
    AlarmWatch.events,
    AlarmWatch.exploding,
    AlarmWatch.vanishing,
    AlarmWatch.gates,
    AlarmWatch.dead,
    AlarmWatch.silence,
    AlarmWatch.lacking,
)


def _left(norms: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return of each record what is left of its largest norm at its last lag, and the lag from which all is zero.

    The latter is not-a-number where the last norm is not zero, or all are.
    """
    count = norms.shape[1] - np.argmax(~np.isnan(norms[:, ::-1]), axis=1)
    rows = np.arange(len(norms))
    last = norms[rows, count - 1]
    largest = np.fmax.reduce(norms, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(largest > 0, last / largest, np.nan)
    positive = norms > 0
    reach = norms.shape[1] - np.argmax(positive[:, ::-1], axis=1)
    empty = np.where((last == 0) & positive.any(axis=1), reach, np.nan)
    # A sequence of one step has no way to vanish on.
    share = np.where(count > 1, share, np.nan)
    return share, empty.astype(np.float64)


def _norm(picture: RunPicture, kind: str) -> tuple[str, Curve] | None:
    curve = picture.parameters.get(f"all.{kind}")
    words = kind.replace("_", " ")
    return None if curve is None or not len(curve[0]) else (words.capitalize(), curve)


def _known(step: int) -> int | None:
    return step if step >= 0 else None


def _gate_words(name: str) -> str:
    layer, _, signal = name.rpartition(".")
    return f"the {signal.replace('_', ' ')} of {layer}"


def _first_bias(picture: RunPicture, gate: str) -> float | None:
    """Return at which bias a forget gate began; ``lstm.0.forget_gate`` belongs to ``lstm.l0.forget_bias``."""
    path, _, layer = gate.removesuffix(".forget_gate").rpartition(".")
    for name in (f"{path}.l{layer}.forget_bias", f"{path}.forget_bias"):
        curve = picture.parameters.get(name)
        if curve is not None and len(curve[1]):
            return float(curve[1][0])
    return None


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _age(picture: RunPicture) -> float:
    """Return for how long a run has gone on, by the clock of the computer on which it runs; 0 where that is unknown."""
    for event in picture.events:
        wall = event.get("wall")
        if event.get("event") == "start" and isinstance(wall, int | float):
            return time.time() - wall
    return 0.0


def muted_out(alarms: Iterable[Alarm], muted: frozenset[tuple[str, str, str]]) -> tuple[Alarm, ...]:
    """Return the alarms that nobody has muted."""
    return tuple(alarm for alarm in alarms if alarm.key not in muted)

"""From a training to what its plots show; free of Qt."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from operator import is_
from typing import Any

import numpy as np

from lstm_studio.networks.signals import Role
from lstm_studio.runs.like import Curve
from lstm_studio.session.criteria import Criterion, target_of
from lstm_studio.session.learning import Learner, Learning
from lstm_studio.ui.numbers import format_count, format_number
from lstm_studio.ui.plots.lag_item import shared_axis
from lstm_studio.ui.plots.step_rows import CurveRow, LagRow, StepCurve, StepLine, StepMark, StepRow, StepState
from lstm_studio.ui.train.words import solved_by_share

LOSS, SHARE = "loss", "share"
_SAME = 0.97
"""Two losses no further apart than this share one line."""
_LOSS_WEIGHT, _SHARE_WEIGHT, _LAG_WEIGHT = 1.9, 1.15, 1.65


class StepResolver:
    """Makes the state of the plots; rows are made anew only for another picture."""

    def __init__(self) -> None:
        self._learning: Learning | None = None
        self._others: tuple[Learning, ...] = ()
        self._rows: tuple[StepRow, ...] = ()

    def resolve(self, learning: Learning | None, step: int | None, others: Sequence[Learning] = ()) -> StepState:
        """Return what is to be drawn of a training, looked at from one of its snapshots, before others like it."""
        behind = tuple(other for other in others if learning is not None and other.address != learning.address)
        same = len(behind) == len(self._others) and all(map(is_, behind, self._others))
        if learning is not self._learning or not same:
            self._learning, self._others = learning, behind
            self._rows = () if learning is None else _rows(learning, behind)
        if learning is None:
            return StepState()
        measured = any(learner.loss[0].size for learner in learning.learners)
        return StepState(
            self._rows,
            learning.planned,
            learning.done if measured else -1,
            learning.running,
            -1 if step is None else step,
            (0.0, 0.0) if step is None else span_of(learning, step),
        )


def span_of(learning: Learning, step: int) -> tuple[float, float]:
    """Return the ends of the column of a step: halfway to the steps that were measured before and after it."""
    steps = next((one.loss[0] for one in learning.learners if one.loss[0].size), np.array([step]))
    place = int(np.searchsorted(steps, step))
    before = float(steps[place - 1]) if place > 0 else float(step)
    after_place = place + 1 if place < len(steps) and steps[place] == step else place
    after = float(steps[after_place]) if after_place < len(steps) else float(step)
    return (before + step) / 2 + 0.5, (after + step) / 2 + 0.5


def _rows(learning: Learning, others: Sequence[Learning]) -> tuple[StepRow, ...]:
    shown = [learner for learner in learning.learners if learner.lags[0].size and learner.lags[1].size]
    axis = shared_axis([learner.lags for learner in shown])
    lags = [_lag_row(learner, axis) for learner in shown]
    return (_loss_row(learning, others), _share_row(learning, others), *lags)


def _curve(learner: Learner, curve: Curve, *, dashed: bool = False, label: bool = False, what: str = "") -> StepCurve:
    end = f"{learner.name} {format_number(float(curve[1][-1]))}" if label and curve[1].size else ""
    return StepCurve(learner.name, *curve, learner.role, squares=learner.place > 0, dashed=dashed, end=end, what=what)


def _faint(learner: Learner, curve: Curve) -> StepCurve:
    return StepCurve(learner.name, *curve, learner.role, faint=True)


def _loss_row(learning: Learning, others: Sequence[Learning]) -> CurveRow:
    what = "cross-entropy" if learning.classes else "squared error"
    chance = _number(learning.chance, "loss")
    lines = _loss_lines(learning, chance)
    curves = (
        *(_faint(learner, learner.loss) for other in others for learner in other.learners),
        *(_curve(learner, learner.loss, label=True) for learner in learning.learners),
    )
    return CurveRow(
        LOSS, "Loss", f"{what}<br>log axis", "", "L", Role.GRADIENT, curves, True, lines, weight=_LOSS_WEIGHT
    )


def _loss_lines(learning: Learning, chance: float | None) -> tuple[StepLine, ...]:
    """Return the line of chance, and that below which the task is solved, where its loss decides that."""
    if chance is None or chance <= 0:
        return ()
    text, target = chance_text(learning, chance), target_of(learning.task, learning.chance)
    if target is None or target.criterion is not Criterion.LOSS or target.value <= 0:
        return (StepLine(chance, text),)
    if target.value > _SAME * chance:
        return (StepLine(chance, f"solved below {text}"),)
    return (StepLine(chance, text), StepLine(target.value, f"solved below {format_number(target.value)}", goal=True))


def chance_text(learning: Learning, loss: float) -> str:
    """Return what the line of the loss of chance is called: with its formula, where it has one."""
    answers = len(learning.task.get("answers", ())) if learning.classes else 0
    formula = f"ln {answers} = " if answers > 1 and math.isclose(math.log(answers), loss, rel_tol=1e-6) else ""
    return f"chance, {formula}{loss:.3f}" if loss >= 0.01 else f"chance, {format_number(loss)}"


def _share_row(learning: Learning, others: Sequence[Learning]) -> CurveRow:
    near = learning.task.get("near")
    note = f"all outputs within<br>{near:g} of the target" if isinstance(near, float) else "near the target"
    target = target_of(learning.task, learning.chance)
    lines = []
    if target is not None and target.criterion is Criterion.WITHIN:
        lines.append(StepLine(target.value, "solved", goal=True))
    elif target is not None and target.criterion is Criterion.ACCURACY:
        lines.append(StepLine(target.value, f"solved at accuracy {target.value:.4g}", goal=True))
    accuracy = _number(learning.chance, "accuracy")
    if accuracy is not None:
        lines.append(StepLine(accuracy, f"chance accuracy {accuracy:.2f}"))
    curves = [_faint(learner, learner.within) for other in others for learner in other.learners]
    curves += [
        _curve(learner, learner.accuracy, dashed=True, what="accuracy")
        for learner in learning.learners
        if learner.accuracy[0].size
    ]
    curves += [_curve(learner, learner.within, what="share") for learner in learning.learners]
    return CurveRow(
        SHARE,
        "Solved share" if target is None or target.criterion is Criterion.WITHIN else "Near the target",
        note,
        "dashed: accuracy" if learning.classes else "",
        "%",
        Role.GRADIENT,
        tuple(curves),
        False,
        tuple(lines),
        _marks(learning),
        weight=_SHARE_WEIGHT,
    )


def _marks(learning: Learning) -> tuple[StepMark, ...]:
    """Return when networks have done what was asked, those of one step together."""
    texts: dict[int, list[str]] = {}
    for learner in learning.learners:
        if learner.solved_at is not None:
            texts.setdefault(learner.solved_at, []).append(solved_text(learning, learner))
    return tuple(StepMark(step, "; ".join(said)) for step, said in texts.items())


def solved_text(learning: Learning, learner: Learner) -> str:
    """Say since when a network has done what was asked, ``"LSTM 256 of 256 from 2,000"``."""
    count = format_count(learning.held_out)
    what = f"{count} of {count}" if solved_by_share(learner) else "solved"
    return f"{learner.name} {what} from {format_count(learner.solved_at or 0)}"


def _lag_row(learner: Learner, axis: Any) -> LagRow:
    return LagRow(
        f"lags:{learner.key}",
        learner.title,
        "gradient by lag<br>‖∂<i>L</i>/∂<i>h</i>‖",
        "<i>L</i> = Σ <i>h</i><sub>T</sub>",
        learner.letter,
        learner.role,
        *learner.lags,
        learner.spacing,
        axis,
        weight=_LAG_WEIGHT,
    )


def _number(scores: Mapping[str, Any], name: str) -> float | None:
    value = scores.get(name)
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None

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
from lstm_studio.ui.plots.log_axis import LogAxis
from lstm_studio.ui.theme import Theme
from lstm_studio.ui.train.words import solved_by_share
from lstm_studio.ui.training_plots.lag_cells import shared_axis
from lstm_studio.ui.training_plots.pictures import CurvePicture, Happening, LagPicture, Line, PlotRow, Reference
from lstm_studio.ui.training_plots.span import Span
from lstm_studio.ui.training_plots.stack import StackPicture
from lstm_studio.ui.training_plots.words import curve_words, lag_words

LOSS, SHARE = "loss", "share"
_SAME = 0.97
"""Two losses no further apart than this share one line."""
_LOSS_WEIGHT, _SHARE_WEIGHT, _LAG_WEIGHT = 1.9, 1.15, 1.65
_WIDE, _WIDE_POINTS = 1.8, 2000
"""Curves are so wide, unless they have more points."""
_DASH = (3.0, 2.0)


class Resolver:
    """Makes what the plots show; rows are made anew only for another picture, or another theme."""

    def __init__(self) -> None:
        self._learning: Learning | None = None
        self._others: tuple[Learning, ...] = ()
        self._theme: Theme | None = None
        self._rows: tuple[PlotRow, ...] = ()

    def resolve(
        self, learning: Learning | None, step: int | None, theme: Theme, others: Sequence[Learning] = ()
    ) -> StackPicture:
        """Return what is to be drawn of a training, looked at from one of its snapshots, before others like it."""
        behind = tuple(other for other in others if learning is not None and other.address != learning.address)
        same = len(behind) == len(self._others) and all(map(is_, behind, self._others))
        if learning is not self._learning or theme is not self._theme or not same:
            self._learning, self._theme, self._others = learning, theme, behind
            self._rows = () if learning is None else plot_rows(learning, theme, behind)
        if learning is None:
            return StackPicture()
        column = None if step is None else column_of(learning, step)
        return StackPicture(self._rows, Span(0.0, float(learning.planned)), step, column, _until(learning))


def column_of(learning: Learning, step: int) -> tuple[float, float]:
    """Return the ends of the column of a step: halfway to the steps that were measured before and after it."""
    steps = next((one.loss[0] for one in learning.learners if one.loss[0].size), np.array([step]))
    place = int(np.searchsorted(steps, step))
    before = float(steps[place - 1]) if place > 0 else float(step)
    after_place = place + 1 if place < len(steps) and steps[place] == step else place
    after = float(steps[after_place]) if after_place < len(steps) else float(step)
    return (before + step) / 2, (after + step) / 2


def plot_rows(learning: Learning, theme: Theme, others: Sequence[Learning] = ()) -> tuple[PlotRow, ...]:
    """Return the rows of a training: its losses, how much it has solved, and the gradients of each network."""
    shown = [learner for learner in learning.learners if learner.lags[0].size and learner.lags[1].size]
    axis = shared_axis([learner.lags[1] for learner in shown])
    lags = [_lag_row(learner, axis, _until(learning)) for learner in shown]
    return (_loss_row(learning, theme, others), _share_row(learning, theme, others), *lags)


def _until(learning: Learning) -> int | None:
    """Return the step after which nothing is known yet; None where everything is."""
    measured = any(learner.loss[0].size for learner in learning.learners)
    done = learning.done if measured else 0
    return done if done < learning.planned else None


def _line(
    learner: Learner,
    curve: Curve,
    theme: Theme,
    *,
    dashed: bool = False,
    faint: bool = False,
    label: bool = False,
    what: str = "",
) -> Line:
    colours = theme.roles[learner.role]
    steps, values = curve
    end = f"{learner.name} {format_number(float(values[-1]))}" if label and len(values) else ""
    return Line(
        f"{learner.name} {what}".strip(),
        steps.astype(np.float64),
        values,
        colours.mark,
        1.0 if dashed or faint or len(steps) > _WIDE_POINTS else _WIDE,
        _DASH if dashed else (),
        label=end,
        label_colour=colours.text,
        squares=learner.place > 0 and not dashed,
        faint=faint,
    )


def _picture(
    learning: Learning,
    lines: tuple[Line, ...],
    references: tuple[Reference, ...],
    happenings: tuple[Happening, ...] = (),
    *,
    log: bool,
    says: bool = False,
) -> CurvePicture:
    words = "not yet trained" if learning.running else "not trained"
    return CurvePicture(
        lines,
        references=references,
        happenings=happenings,
        log=log,
        levels=None if log else (0.0, 1.0),
        until=_until(learning),
        words=words if says else "",
        summary=curve_words(lines, references, happenings),
    )


def _loss_row(learning: Learning, theme: Theme, others: Sequence[Learning]) -> PlotRow:
    what = "cross-entropy" if learning.classes else "squared error"
    lines = (
        *(_line(learner, learner.loss, theme, faint=True) for other in others for learner in other.learners),
        *(_line(learner, learner.loss, theme, label=True) for learner in learning.learners),
    )
    references = _loss_lines(learning, _number(learning.chance, "loss"))
    picture = _picture(learning, lines, references, log=True, says=True)
    return PlotRow(LOSS, "Loss", f"{what}<br>log axis", "", "L", Role.GRADIENT, picture, _LOSS_WEIGHT)


def _loss_lines(learning: Learning, chance: float | None) -> tuple[Reference, ...]:
    """Return the line of chance, and that below which the task is solved, where its loss decides that."""
    if chance is None or chance <= 0:
        return ()
    text, target = chance_text(learning, chance), target_of(learning.task, learning.chance)
    if target is None or target.criterion is not Criterion.LOSS or target.value <= 0:
        return (Reference(chance, text),)
    if target.value > _SAME * chance:
        return (Reference(chance, f"solved below {text}"),)
    return (
        Reference(chance, text),
        Reference(target.value, f"solved below {format_number(target.value)}", solved=True),
    )


def chance_text(learning: Learning, loss: float) -> str:
    """Return what the line of the loss of chance is called: with its formula, where it has one."""
    answers = len(learning.task.get("answers", ())) if learning.classes else 0
    formula = f"ln {answers} = " if answers > 1 and math.isclose(math.log(answers), loss, rel_tol=1e-6) else ""
    return f"chance, {formula}{loss:.3f}" if loss >= 0.01 else f"chance, {format_number(loss)}"


def _share_row(learning: Learning, theme: Theme, others: Sequence[Learning]) -> PlotRow:
    near = learning.task.get("near")
    note = f"all outputs within<br>{near:g} of the target" if isinstance(near, float) else "near the target"
    target = target_of(learning.task, learning.chance)
    references = []
    if target is not None and target.criterion is Criterion.WITHIN:
        references.append(Reference(target.value, "solved", solved=True))
    elif target is not None and target.criterion is Criterion.ACCURACY:
        references.append(Reference(target.value, f"solved at accuracy {target.value:.4g}", solved=True))
    accuracy = _number(learning.chance, "accuracy")
    if accuracy is not None:
        references.append(Reference(accuracy, f"chance accuracy {accuracy:.2f}"))
    lines = [_line(learner, learner.within, theme, faint=True) for other in others for learner in other.learners]
    lines += [
        _line(learner, learner.accuracy, theme, dashed=True, what="accuracy")
        for learner in learning.learners
        if learner.accuracy[0].size
    ]
    lines += [_line(learner, learner.within, theme, what="share") for learner in learning.learners]
    title = "Solved share" if target is None or target.criterion is Criterion.WITHIN else "Near the target"
    picture = _picture(learning, tuple(lines), tuple(references), _happenings(learning), log=False)
    third = "dashed: accuracy" if learning.classes else ""
    return PlotRow(SHARE, title, note, third, "%", Role.GRADIENT, picture, _SHARE_WEIGHT)


def _happenings(learning: Learning) -> tuple[Happening, ...]:
    """Return when networks have done what was asked, those of one step together."""
    texts: dict[int, list[str]] = {}
    for learner in learning.learners:
        if learner.solved_at is not None:
            texts.setdefault(learner.solved_at, []).append(solved_text(learning, learner))
    return tuple(Happening(float(step), "; ".join(said)) for step, said in texts.items())


def solved_text(learning: Learning, learner: Learner) -> str:
    """Say since when a network has done what was asked, ``"LSTM 256 of 256 from 2,000"``."""
    count = format_count(learning.held_out)
    what = f"{count} of {count}" if solved_by_share(learner) else "solved"
    return f"{learner.name} {what} from {format_count(learner.solved_at or 0)}"


def _lag_row(learner: Learner, axis: LogAxis, until: int | None) -> PlotRow:
    steps, norms = learner.lags
    end = None if until is None else float(until)
    words = lag_words(steps, norms, learner.spacing)
    return PlotRow(
        f"lags:{learner.key}",
        learner.title,
        "gradient by lag<br>‖∂<i>L</i>/∂<i>h</i>‖",
        "<i>L</i> = Σ <i>h</i><sub>T</sub>",
        learner.letter,
        learner.role,
        LagPicture(steps.astype(np.float64), norms, learner.spacing, axis, end, summary=words),
        _LAG_WEIGHT,
    )


def _number(scores: Mapping[str, Any], name: str) -> float | None:
    value = scores.get(name)
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None

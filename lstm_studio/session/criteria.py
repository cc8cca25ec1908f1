"""From which score on a task counts as solved: what the plots draw as the goal."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

from lstm_studio.errors import StudioError
from lstm_studio.tasks.registry import new_task, tasks
from lstm_studio.tasks.score import Score
from lstm_studio.tasks.task import Task

_HALVINGS = 40


class Criterion(StrEnum):
    """Which score decides."""

    WITHIN = "within"
    """The share of sequences with all outputs near the target."""
    ACCURACY = "accuracy"
    LOSS = "loss"


@dataclass(frozen=True, slots=True)
class Target:
    """What has to be reached.

    Parameters
    ----------
    criterion
        Which score.
    value
        How large it has to be at least; of a loss, how small.
    """

    criterion: Criterion
    value: float


def target_of(task: Mapping[str, Any], chance: Mapping[str, Any]) -> Target | None:
    """Return from which score on a task counts as solved, by asking the task; None where that is no single score.

    Parameters
    ----------
    task
        What a run says of it.
    chance
        Score of the chance line on the held-out sequences.
    """
    loss, accuracy = chance.get("loss"), chance.get("accuracy")
    if not isinstance(loss, int | float) or not loss > 0:
        return None
    if task.get("sequence"):
        return Target(Criterion.ACCURACY, 1.0) if task.get("readout") == "classes" else Target(Criterion.LOSS, loss)
    name, parameters = task.get("name"), task.get("parameters")
    if not isinstance(name, str) or name not in tasks() or not isinstance(parameters, Mapping):
        return None
    try:
        known = float(accuracy) if isinstance(accuracy, int | float) else None
        return _asked(name, json.dumps(dict(parameters), sort_keys=True), float(loss), known)
    except (StudioError, TypeError, ValueError):
        return None


@lru_cache(maxsize=64)
def _asked(name: str, parameters: str, loss: float, accuracy: float | None) -> Target | None:
    """Return the one score that, good among others at chance, makes the task count as solved."""
    task = new_task(name, **json.loads(parameters))
    chance = Score(task.test_size, loss, accuracy, 0.0, loss)

    def near(share: float) -> Score:
        # Where all outputs are near the target, the errors are small too.
        return Score(task.test_size, loss, accuracy, share, 0.0)

    def right(share: float) -> Score:
        return Score(task.test_size, loss, None if accuracy is None else share, 0.0, loss)

    def wrong(part: float) -> Score:
        return Score(task.test_size, part, accuracy, 0.0, part)

    asked: tuple[tuple[Criterion, Callable[[float], Score], float, float], ...] = (
        (Criterion.WITHIN, near, 0.0, 1.0),
        (Criterion.ACCURACY, right, accuracy or 0.0, 1.0),
        (Criterion.LOSS, wrong, loss, 0.0),
    )
    for criterion, score, worst, best in asked:
        if task.solved(score(best), chance) and not task.solved(score(worst), chance):
            return Target(criterion, _edge(task, chance, score, worst, best))
    return None


def _edge(task: Task, chance: Score, score: Callable[[float], Score], worst: float, best: float) -> float:
    """Return from where on it is solved, by halving what lies between."""
    for _ in range(_HALVINGS):
        middle = (worst + best) / 2
        worst, best = (worst, middle) if task.solved(score(middle), chance) else (middle, best)
    return best

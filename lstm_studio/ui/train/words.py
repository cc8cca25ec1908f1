"""What the Train workspace says of a training; free of Qt."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lstm_studio.runs.like import Status
from lstm_studio.session.criteria import Criterion, Target, target_of
from lstm_studio.session.learning import Learner, Learning
from lstm_studio.session.trainings import Trainings
from lstm_studio.training.control import Wish
from lstm_studio.training.plan import Plan
from lstm_studio.ui.numbers import format_count, format_number
from lstm_studio.ui.train.equal import network_sizes_of

_ONCE = 60
_ITEMS, _FEWER_FROM = 16, 500
"""So many sequences a training takes for the gradients by lag, and from so many steps on fewer."""
_AT_CHANCE = 0.97
_ROUNDING = 1e-6
_HOUR = 3600


def plan_words(plan: Plan) -> str:
    """Return what a plan trains on what, and what counts as learned."""
    sizes = network_sizes_of(plan, None)
    units = [f"{size.title} with {format_count(size.hidden_size)} units" for size in sizes]
    batches = f"{format_count(plan.updates)} batches of {format_count(plan.batch)} sequences"
    if not plan.task:
        return f"{Path(plan.sequence).name}: {batches}."
    task = plan.new_task()
    sees = f"{' and '.join(units)} see{'s' if len(units) == 1 else ' the same'} {batches}"
    return f"{task.title}: {sees}. Chance: {task.chance_words}. Solved: {task.solved_words}."


def title_of(trainings: Trainings) -> str:
    """Return what stands above the plots."""
    learning = trainings.learning
    if learning is None:
        return "What shall the networks learn?" if not trainings.beginning else "Training, starting PyTorch…"
    done, planned = format_count(learning.done), format_count(learning.planned)
    seed = f", seed {learning.recipe.get('seed')}" if trainings.series is not None else ""
    return f"{learning.title}{seed}, step {done} of {planned}{state_words(trainings)}"


def state_words(trainings: Trainings) -> str:
    """Return what a training does that does not simply go on, after a comma; else nothing."""
    learning = trainings.learning
    if learning is None:
        return ""
    match learning.status:
        case Status.DIED:
            return ", ended before its time"
        case Status.FINISHED:
            return ", stopped" if learning.stopped else ""
        case Status.RUNNING if learning.paused:
            return ", paused"
        case Status.RUNNING if trainings.wish is Wish.PAUSE:
            return ", pausing…"
        case Status.RUNNING if trainings.wish is Wish.STOP:
            return ", stopping…"
    return ""


def measure_words(learning: Learning) -> str:
    """Return how the numbers of the plots were measured."""
    parts = []
    every = learning.recipe.get("evaluate_every")
    if isinstance(every, int) and every > 0:
        parts.append(f"evaluated every {format_count(every)} steps")
    if learning.held_out:
        parts.append(f"{format_count(learning.held_out)} held-out sequences")
        longest = max((one.lags[1].shape[1] * one.spacing for one in learning.learners), default=0)
        most = "at most " if longest > _FEWER_FROM else ""
        parts.append(f"gradients: root mean square of {most}{format_count(min(_ITEMS, learning.held_out))}")
    return " · ".join(parts)


def left_words(trainings: Trainings) -> str:
    """Return how fast a training is, and how long it will take."""
    learning, rate = trainings.learning, trainings.rate
    if learning is None:
        return "starting PyTorch…" if trainings.beginning else ""
    if not learning.running:
        return {Status.DIED: "died"}.get(learning.status, "stopped" if learning.stopped else "finished")
    if learning.paused:
        return "paused"
    if trainings.wish is not Wish.RUN:
        return state_words(trainings).removeprefix(", ")
    if rate <= 0:
        return ""
    speed = f"{format_count(round(rate))} steps/s" if rate >= 1 else f"{rate:.2f} steps/s"
    return f"{speed} · {duration((learning.planned - learning.done) / rate)} left"


def duration(seconds: float) -> str:
    """Write a stretch of time, as far as anybody wants to know: ``"4 s"``, ``"3 min"``, ``"2 h 10 min"``."""
    if seconds < 1.5 * _ONCE:
        return f"{max(0, round(seconds))} s"
    if seconds < 1.5 * _HOUR:
        return f"{round(seconds / 60)} min"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{format_count(hours)} h {minutes} min" if hours < 48 else f"{format_count(hours)} h"


def result_words(learning: Learning, learner: Learner) -> tuple[bool | None, str]:
    """Return whether a network does what was asked, as far as is known, and what it has reached in a sentence."""
    target = target_of(learning.task, learning.chance)
    if learner.passed is not None:
        verdict = "passed" if learner.passed else "not passed"
        return learner.passed, f"The task's test: {verdict}; {_score_words(learning, learner.tested, target)}"
    reached = {
        name: float(curve[1][-1])
        for name, curve in (("within", learner.within), ("accuracy", learner.accuracy), ("loss", learner.loss))
        if curve[0].size
    }
    if not reached:
        return None, "nothing measured yet"
    words = _score_words(learning, {**reached, "sequences": learning.held_out}, target)
    if _meets(target, reached):
        since = "" if learner.solved_at is None else f" since step {format_count(learner.solved_at)}"
        return True, f"{words}{since}"
    loss, chance = reached.get("loss"), learning.chance.get("loss")
    if (target is not None and target.criterion is Criterion.LOSS) or loss is None:
        return False, words
    at_chance = isinstance(chance, int | float) and chance > 0 and loss > _AT_CHANCE * chance
    return False, f"{words}; {'loss at chance' if at_chance else f'loss {format_number(loss)}'}"


def _meets(target: Target | None, reached: Mapping[str, float]) -> bool:
    """Return whether scores on the held-out sequences are what a task asks for."""
    if target is None or target.criterion.value not in reached:
        return False
    value = reached[target.criterion.value]
    return value < target.value if target.criterion is Criterion.LOSS else value >= target.value - _ROUNDING


def _score_words(learning: Learning, score: Mapping[str, Any], target: Target | None) -> str:
    """Return the score that decides in words, ``"256 of 256 within 0.3"``."""
    criterion = Criterion.WITHIN if target is None else target.criterion
    value = score.get(criterion.value)
    if not isinstance(value, int | float):
        return f"{criterion.value} {value or 'unknown'}"
    if criterion is Criterion.WITHIN:
        count, near = int(score.get("sequences", 0)), learning.task.get("near")
        within = f"within {near:g}" if isinstance(near, float) else "near the target"
        return f"{format_count(round(value * count))} of {format_count(count)} {within}"
    if criterion is Criterion.ACCURACY:
        return f"accuracy {value:.3f}"
    chance = learning.chance.get("loss")
    beside = f", chance {format_number(chance)}" if isinstance(chance, int | float) else ""
    return f"loss {format_number(value)}{beside}"


def solved_by_share(learner: Learner) -> bool:
    """Return whether a network was near the target in all sequences when it solved them: not every task asks that."""
    steps, shares = learner.within
    found = shares[steps == learner.solved_at]
    return bool(found.size and found[0] == 1.0)


def caution_words(learning: Learning) -> str:
    """Return what the results do not say yet, and what they never prove."""
    parts = []
    caution = learning.task.get("caution")
    if isinstance(caution, str) and caution:
        parts.append(caution)
    if not learning.tested and learning.running:
        parts.append("The task's own test runs when the training ends.")
    parts.append("One seed proves nothing general: repeat it with others before you believe it.")
    return " ".join(parts)

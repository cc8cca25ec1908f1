"""What the Train workspace says of a training; free of Qt."""

from __future__ import annotations

from lstm_studio.runs.like import Status
from lstm_studio.session.learning import Learner, Learning
from lstm_studio.session.trainings import Trainings
from lstm_studio.training.control import Wish
from lstm_studio.ui.numbers import format_count, format_number

EMPTY = (
    "Nothing has been trained yet. Choose a task at the left and press Start: the networks learn it side by side, "
    "and their losses, their gradients and their weights can be looked at while they do."
)
_ONCE = 60
_HOUR = 3600


def title_of(trainings: Trainings) -> str:
    """Return what stands above the plots."""
    learning = trainings.learning
    if learning is None:
        return "Training" if not trainings.beginning else "Training, starting PyTorch…"
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
        parts.append(f"gradients: mean of {format_count(min(16, learning.held_out))}")
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
    near = learning.task.get("near")
    within = f"within {near:g}" if isinstance(near, float) else "near the target"
    if learner.passed is not None:
        tested = format_count(int(learner.tested.get("sequences", 0)))
        right = round(float(learner.tested.get("within", 0.0)) * int(learner.tested.get("sequences", 0)))
        verdict = "passed" if learner.passed else "not passed"
        return learner.passed, f"The task's test: {verdict}; {format_count(right)} of {tested} {within}"
    if not learner.within[0].size:
        return None, "nothing measured yet"
    share = float(learner.within[1][-1])
    count = round(share * learning.held_out)
    words = f"{format_count(count)} of {format_count(learning.held_out)} {within}"
    if learner.solved_at is not None and share == 1.0:
        return True, f"{words} since step {format_count(learner.solved_at)}"
    if learner.solved_at is not None and not solved_by_share(learner):
        return True, f"held-out sequences solved at step {format_count(learner.solved_at)}; {words}"
    loss, chance = float(learner.loss[1][-1]), learning.chance.get("loss")
    if isinstance(chance, int | float) and chance > 0 and loss > 0.97 * chance:
        return False, f"{words}; loss at chance"
    return False, f"{words}; loss {format_number(loss)}"


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

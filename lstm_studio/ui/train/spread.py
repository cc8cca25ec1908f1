"""How far the seeds of a comparison are apart; free of Qt."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from lstm_studio.networks.signals import Role
from lstm_studio.session.learning import Learner, Learning
from lstm_studio.session.trainings import Series
from lstm_studio.ui.numbers import format_count, format_number
from lstm_studio.ui.train.words import result_words


@dataclass(frozen=True, slots=True)
class SeedRow:
    """One seed in the list.

    Parameters
    ----------
    address
        Of its run.
    seed
        Which.
    state
        What it does, where it has not come to its end: ``"step 300"``; else empty.
    verdicts
        Of each network: whether it has solved the task, as far as is known, and its loss in words.
    """

    address: str
    seed: int
    state: str
    verdicts: tuple[tuple[bool | None, str], ...]


@dataclass(frozen=True, eq=False, slots=True)
class NetworkSpread:
    """One network over all seeds.

    Parameters
    ----------
    name, letter, role, squares
        What it is called, and how it is drawn.
    losses
        (seed, loss) of each seed of which a loss is known, as it is now.
    solved, tested
        Of how many seeds it has solved the task, and how many have been tested.
    """

    name: str
    letter: str
    role: Role
    squares: bool
    losses: tuple[tuple[int, float], ...]
    solved: int
    tested: int

    @property
    def words(self) -> str:
        """What the seeds say together."""
        values = [loss for _, loss in self.losses if math.isfinite(loss)]
        if not values:
            return f"{self.name}: nothing measured yet"
        verdict = f"solved with {format_count(self.solved)} of {format_count(self.tested)}; " if self.tested else ""
        middle, low, high = (format_number(value) for value in (median(values), min(values), max(values)))
        return f"{self.name}: {verdict}loss {middle} in the middle, from {low} to {high}"


def seed_rows(series: Series, others: Mapping[str, Learning]) -> tuple[SeedRow, ...]:
    """Return a line for each seed, also for those that have not begun."""
    rows = []
    for seed, address in zip(series.seeds, series.addresses, strict=True):
        learning = others.get(address)
        if learning is None:
            rows.append(SeedRow(address, seed, "waiting", ()))
            continue
        state = "" if learning.tested else f"step {format_count(learning.done)}"
        verdicts = tuple((result_words(learning, one)[0], _loss_text(one)) for one in learning.learners)
        rows.append(SeedRow(address, seed, state, verdicts))
    return tuple(rows)


def spreads(series: Series, others: Mapping[str, Learning]) -> tuple[NetworkSpread, ...]:
    """Return each network over all seeds that have begun."""
    known = [(seed, others[at]) for seed, at in zip(series.seeds, series.addresses, strict=True) if at in others]
    if not known:
        return ()
    found = []
    for place, first in enumerate(known[0][1].learners):
        own = [(seed, one.learners[place]) for seed, one in known if place < len(one.learners)]
        losses = tuple((seed, float(one.loss[1][-1])) for seed, one in own if one.loss[0].size)
        tested = [one for _, one in own if one.passed is not None]
        found.append(
            NetworkSpread(
                first.name,
                first.letter,
                first.role,
                place > 0,
                losses,
                solved=sum(bool(one.passed) for one in tested),
                tested=len(tested),
            )
        )
    return tuple(found)


def progress_words(series: Series, others: Mapping[str, Learning]) -> str:
    """Return how many seeds have come to their end."""
    tested = sum(one.tested for one in others.values())
    return f"{format_count(len(series.seeds))} seeds, {format_count(tested)} tested"


def chance_of(others: Sequence[Learning]) -> float | None:
    """Return the loss of chance, the mean over the seeds: each has held-out sequences of its own."""
    values = [one.chance.get("loss") for one in others]
    numbers = [float(value) for value in values if isinstance(value, int | float) and value > 0]
    return sum(numbers) / len(numbers) if numbers else None


def _loss_text(learner: Learner) -> str:
    return format_number(float(learner.loss[1][-1])) if learner.loss[0].size else "–"

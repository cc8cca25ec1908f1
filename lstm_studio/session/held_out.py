"""The sequences that a training is evaluated on, to be looked at in Explore with the networks of its snapshots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from lstm_studio.progress import Progress
from lstm_studio.sequences.sequence import Encoding, Sequence, SequenceSet
from lstm_studio.session.question import Question, Tools
from lstm_studio.tasks.task import Batch
from lstm_studio.training.assignment import Assignment
from lstm_studio.training.plan import Plan

MOST_SHOWN = 64
"""Sequences that are enough to look at."""
_STREAM = 1
"""Of the held-out sequences, among the random streams of a training."""


@dataclass(frozen=True, slots=True)
class DrawHeldOut(Question):
    """Draw the first of the held-out sequences again; answered with a ``SequenceSet``, scaled as in the training.

    Parameters
    ----------
    address
        Of the training.
    plan
        By which it goes.
    """

    title: ClassVar[str] = "Drawing the held-out sequences"
    about_result: ClassVar[bool] = False

    address: str
    plan: Plan

    def answer(self, tools: Tools, progress: Progress) -> SequenceSet:  # noqa: ARG002 - needs neither
        """Return the sequences.

        Raises
        ------
        StudioError
            If the task, or the sequence file, is not what it was.
        """
        plan = self.plan
        assignment = _assignment_of(plan)
        batch = assignment.held_out(plan.held_out, np.random.default_rng([plan.seed, _STREAM]))
        return as_set(assignment, batch, plan)


def _assignment_of(plan: Plan) -> Assignment:
    if plan.task:
        return plan.new_task()
    from lstm_studio.training.loaded import load

    return load(plan)[0]


def as_set(assignment: Assignment, batch: Batch, plan: Plan) -> SequenceSet:
    """Return the first sequences of a batch, one by one and without padding, with what is asked of them."""
    classes = assignment.readout == "classes"
    sequences = []
    for index, length in enumerate(batch.lengths[:MOST_SHOWN].tolist()):
        values, target = batch.inputs[:length, index], batch.targets[:length, index]
        if classes and not batch.scored[: length - 1, index].any():
            target = np.asarray(target[-1].argmax(), np.int64)
        symbols = bool(((values == 0) | (values == 1)).all() and (values.sum(axis=1) == 1).all())
        sequences.append(
            Sequence(
                values=values.copy(),
                names=assignment.features,
                target=target.copy(),
                name=f"Held out {index + 1}",
                encoding=Encoding.ONE_HOT if symbols else Encoding.NUMERIC,
            )
        )
    return SequenceSet(
        tuple(sequences),
        source=f"held out, seed {plan.seed}",
        title=f"{assignment.title}, held out",
        classes=assignment.answers if classes else (),
        facts=(("Held out", f"{len(sequences)} of {len(batch.lengths)} sequences"), ("Seed", str(plan.seed))),
    )

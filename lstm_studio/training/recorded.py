"""Trains and records: what ``lstm-studio train`` does.

Everything that a step of the run says is of the weights after so many updates: the loss and the gradients of the next
batch, the scores on the held-out sequences, the snapshot.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from lstm_studio.errors import RunError, is_there
from lstm_studio.progress import Progress
from lstm_studio.runs.format import RUN_FILE
from lstm_studio.runs.recorder import Recorder
from lstm_studio.training.assignment import Assignment
from lstm_studio.training.control import Wish, wish
from lstm_studio.training.horizon import horizon
from lstm_studio.training.plan import Plan
from lstm_studio.training.share import Share
from lstm_studio.training.snapshots import is_kept, load_state, save_snapshot, save_state
from lstm_studio.training.trainer import Evaluation, FinalTest, Trainer, recipe_of

_LOOK_SECONDS = 0.1
"""Between two looks at what is asked of the training."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a training ended.

    Parameters
    ----------
    update
        Updates that the weights have had.
    test
        How good the networks are.
    solved
        Key of a network → whether it has solved the task.
    interrupted
        Whether it ended because somebody at the terminal wanted it.
    """

    update: int
    test: FinalTest
    solved: Mapping[str, bool]
    interrupted: bool


class RecordedTraining:
    """A training that writes its run.

    Parameters
    ----------
    plan
        What to train.
    assignment
        The task of the plan, or its sequence.
    about
        What ``run.json`` says of the assignment, under ``"training"``.
    folder
        Of the run.
    share
        Of each batch, where several processes train together.
    resume
        Whether to go on with the run that is there.
    asked
        A further folder in which it can be asked to pause or to stop.

    Raises
    ------
    StudioError
        If the networks cannot be built, or the folder cannot be used.
    """

    def __init__(
        self,
        plan: Plan,
        assignment: Assignment,
        about: Mapping[str, Any],
        folder: Path,
        share: Share,
        *,
        resume: bool = False,
        asked: Path | None = None,
    ) -> None:
        if not resume and share.is_first and is_there(folder / RUN_FILE, RunError):
            raise RunError(f"{folder} holds a run.", "Go on with it with --resume, or choose another folder.")
        self._plan, self._folder, self._share = plan, folder, share
        self._asked = (folder,) if asked is None else (folder, asked)
        self._trainer = Trainer(assignment, recipe_of(plan), share)
        self._solved: dict[str, int] = {}
        if resume:
            said = load_state(self._trainer, folder).get("solved", {})
            self._solved = {str(key): int(update) for key, update in said.items()}
            if self._trainer.done > plan.updates:
                raise RunError(
                    f"{folder} has {self._trainer.done:,} updates already.",
                    f"Give --steps {self._trainer.done} or more.",
                )
        self._chance = assignment.chance(self._trainer.held_out)
        self._looked = 0.0
        self._recorder = self._new_recorder(about, resume)

    @property
    def update(self) -> int:
        """Updates that the weights have had."""
        return self._trainer.done

    def run(self, progress: Progress, interrupted: Callable[[], bool]) -> Ending:
        """Train to the end, or until it is asked to stop.

        Parameters
        ----------
        progress
            Told several times a second.
        interrupted
            Whether to end after this update.

        Raises
        ------
        StudioError
            If a gradient is no longer finite, or a snapshot cannot be written.
        """
        trainer = self._trainer
        shown = 0.0
        with self._recorder:
            while True:
                last = trainer.done >= self._plan.updates or self._share.told(self._wanted(interrupted) is Wish.STOP)
                evaluation = self._step(last)
                last = last or (evaluation is not None and self._share.told(self._is_enough(evaluation)))
                if last:
                    return self._end(interrupted())
                trainer.update()
                self._recorder.updated()
                if time.monotonic() - shown > _LOOK_SECONDS:
                    shown = time.monotonic()
                    progress(trainer.done / self._plan.updates, f"update {trainer.done:,} of {self._plan.updates:,}")

    def _step(self, last: bool) -> Evaluation | None:
        """Measure and record the weights as they are; return the evaluation, where this step has one."""
        trainer, update = self._trainer, self._trainer.done
        kept = is_kept(update, self._plan.evaluate_every)
        if kept:
            self._keep()
        losses = trainer.measure()
        row = {f"{key}.train_loss": loss for key, loss in losses.items()}
        evaluation = None
        if kept or last or update % self._plan.evaluate_every == 0:
            evaluation = self._evaluate(row)
        self._recorder.step(step=update, **row)
        return evaluation

    def _evaluate(self, row: dict[str, float]) -> Evaluation:
        """Score the networks on the held-out sequences, and add what is found to the row of the step."""
        trainer = self._trainer
        if not self._share.is_first:
            return Evaluation(trainer.done, {})
        evaluation = trainer.evaluate()
        for key, score in evaluation.scores.items():
            row[f"{key}.loss"] = score.loss
            if score.accuracy is not None:
                row[f"{key}.accuracy"] = score.accuracy
            row[f"{key}.within"] = score.within
            far = horizon(trainer.networks[key], trainer.held_out)
            if far.forget_gate is not None:
                row[f"{key}.forget_gate"] = far.forget_gate
            lags = {f"{key}.{layer}": states for layer, states in far.lags.items()}
            self._recorder.lags(trainer.done, key, lags)
            if key not in self._solved and trainer.looks_solved(score, self._chance):
                self._solved[key] = trainer.done
                self._recorder.event("solved", network=key, step=trainer.done)
        return evaluation

    def _is_enough(self, evaluation: Evaluation) -> bool:
        """Return whether the first network has solved the task and that is what was waited for."""
        if not (self._plan.stop_when_solved and self._share.is_first):
            return False
        first = self._plan.keys[0]
        return self._trainer.looks_solved(evaluation.scores[first], self._chance) and self._trainer.confirms(first)

    def _end(self, interrupted: bool) -> Ending:
        """Keep the weights as they are, and test them."""
        trainer = self._trainer
        self._keep()
        test = trainer.test()
        solved = {key: trainer.task.solved(score, test.chance) for key, score in test.scores.items()}
        self._recorder.event(
            "tested",
            update=trainer.done,
            scores={key: asdict(score) for key, score in test.scores.items()},
            chance=asdict(test.chance),
            solved=solved,
        )
        return Ending(trainer.done, test, solved, interrupted)

    def _keep(self) -> None:
        if self._share.is_first:
            save_snapshot(self._trainer.networks, self._folder, self._trainer.done)
            save_state(self._trainer, self._folder, {"solved": self._solved})

    def _wanted(self, interrupted: Callable[[], bool]) -> Wish:
        """Return what is asked of the training; waits where that is to pause."""
        if interrupted():
            return Wish.STOP
        if not self._share.is_first or time.monotonic() - self._looked < _LOOK_SECONDS:
            return Wish.RUN
        wanted = self._wish()
        if wanted is Wish.PAUSE:
            self._recorder.event("paused", step=self._trainer.done)
            while wanted is Wish.PAUSE and not interrupted():
                time.sleep(_LOOK_SECONDS)
                wanted = self._wish()
            self._recorder.event("resumed", step=self._trainer.done)
        self._looked = time.monotonic()
        return Wish.STOP if interrupted() else wanted

    def _wish(self) -> Wish:
        """Return the wish that asks for least work."""
        wishes = {wish(folder) for folder in self._asked}
        return next(wanted for wanted in (Wish.STOP, Wish.PAUSE, Wish.RUN) if wanted in wishes)

    def _new_recorder(self, about: Mapping[str, Any], resume: bool) -> Recorder:
        plan, trainer = self._plan, self._trainer
        sizes = [asdict(size) for size in trainer.sizes]
        training = {
            **about,
            "chance": asdict(self._chance),
            "recipe": plan.as_dict(),
            "networks": [{name: value for name, value in size.items() if name != "forget_gate"} for size in sizes],
            "seed": plan.seed,
            "arguments": plan.arguments(self._folder),
            "torch": str(torch.__version__),
            "held_out": len(trainer.held_out.lengths),
        }
        # A run that cannot be recorded is of no use here; to a script of one's own it would only be told.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            recorder = Recorder(
                nn.ModuleDict({key: network.module for key, network in trainer.networks.items()}),
                self._folder,
                plan.evaluate_every,
                sequences=1,
                ranks="0",
                dtype="float16",
                scaler=None,
                about={"training": training},
                first=trainer.done if resume else None,
                updates_later=True,
            )
        if self._share.is_first and not recorder.written:
            failure = recorder.failure
            reason = f"{self._folder} cannot be written." if failure is None else str(failure)
            if isinstance(failure, OSError):
                reason = f"{failure.filename or self._folder} cannot be written ({failure.strerror or failure})."
            raise RunError(reason, "Choose another folder, on a disk with room.") from failure
        return recorder

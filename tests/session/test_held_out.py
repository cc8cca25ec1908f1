"""The sequences shown in Explore are those that the training is evaluated on."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from lstm_studio.progress import ignore_progress
from lstm_studio.sequences.sequence import Encoding, SequenceSet
from lstm_studio.session.held_out import MOST_SHOWN, DrawHeldOut
from lstm_studio.training.plan import Goal, Plan


def drawn(plan: Plan) -> SequenceSet:
    return DrawHeldOut("", plan).answer(cast(Any, None), ignore_progress)


@pytest.mark.parametrize("task", ["temporal-order", "adding", "dinner-menu"])
def test_they_are_the_very_sequences_of_the_trainer(task: str) -> None:
    from lstm_studio.training.trainer import Trainer, recipe_of

    plan = Plan(task=task, seed=5, hidden=2, held_out=70)
    trainer = Trainer(plan.new_task(), recipe_of(plan))
    found = drawn(plan)
    assert len(found) == MOST_SHOWN
    for index, sequence in enumerate(found):
        length = int(trainer.held_out.lengths[index])
        np.testing.assert_array_equal(sequence.values, trainer.held_out.inputs[:length, index])
        wanted = trainer.held_out.targets[:length, index]
        assert sequence.target is not None
        if sequence.target.ndim == 0:
            assert int(sequence.target) == int(wanted[-1].argmax())
        else:
            np.testing.assert_array_equal(sequence.target, wanted)


def test_symbols_and_classes_are_told() -> None:
    found = drawn(Plan(task="temporal-order", held_out=4))
    assert found.classes == ("XX", "XY", "YX", "YY")
    assert found[0].encoding is Encoding.ONE_HOT
    assert drawn(Plan(task="adding", held_out=4))[0].encoding is Encoding.NUMERIC


def test_of_a_file_they_are_scaled_as_in_the_training(tmp_path: Path) -> None:
    from lstm_studio.training.loaded import load

    path = tmp_path / "walk.csv"
    rng = np.random.default_rng(0)
    path.write_text("a,b\n" + "\n".join(f"{x:.4f},{y:.4f}" for x, y in rng.normal(5, 3, size=(60, 2)).cumsum(axis=0)))
    plan = Plan(sequence=str(path), goal=Goal.NEXT_STEP, held_out=3)
    batch = load(plan)[0].held_out(3, np.random.default_rng([0, 1]))
    found = drawn(plan)
    assert found.names == ("a", "b")
    np.testing.assert_array_equal(found[0].values, batch.inputs[: batch.lengths[0], 0])

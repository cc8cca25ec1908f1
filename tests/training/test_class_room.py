"""The class-room sizes: what they promise is what a training shows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lstm_studio.tasks.registry import tasks
from lstm_studio.training.plan import class_room
from lstm_studio.training.trainer import Trainer, recipe_of

_LARGEST = 10_000_000
"""Steps × sequences × updates of a training that takes some 20 seconds on one core of a small computer."""


@pytest.mark.parametrize("name", tasks())
def test_every_class_room_size_is_one_of_its_own_and_small(name: str) -> None:
    plan = class_room(name)
    trainer = Trainer(plan.new_task(), replace(recipe_of(plan), device="cpu"))
    assert plan.updates <= 3000
    assert plan.hidden <= 64
    assert trainer.held_out.inputs.shape[0] * plan.batch * plan.updates < _LARGEST
    assert plan.device == "auto"
    assert not plan.stop_when_solved


@pytest.mark.parametrize("name", ["counting", "dinner-menu", "latch", "long-lag", "temporal-order"])
def test_the_lstm_solves_it(name: str) -> None:
    plan = class_room(name)
    trainer = Trainer(plan.new_task(), replace(recipe_of(plan), device="cpu", kinds=("lstm",)))
    chance = trainer.task.chance(trainer.held_out)
    for evaluation in trainer.run():
        if trainer.looks_solved(evaluation.scores["lstm"], chance) and trainer.confirms("lstm"):
            break
    test = trainer.test()
    assert trainer.done < plan.updates
    assert test.scores["lstm"].sequences == trainer.task.test_size
    assert trainer.task.solved(test.scores["lstm"], test.chance)


@pytest.mark.parametrize(("name", "updates"), [("temporal-order", 600), ("adding", 1300)])
def test_the_vanilla_rnn_is_at_chance_where_the_lstm_has_solved_it(name: str, updates: int) -> None:
    plan = class_room(name)
    trainer = Trainer(plan.new_task(), replace(recipe_of(plan), device="cpu", updates=updates))
    for _ in trainer.run():
        pass
    test = trainer.test()
    assert trainer.done < plan.updates
    assert trainer.task.solved(test.scores["lstm"], test.chance)
    assert test.scores["lstm"].loss < 0.01 * test.chance.loss
    assert test.scores["rnn"].loss > 0.9 * test.chance.loss
    assert test.scores["rnn"].within < 0.5

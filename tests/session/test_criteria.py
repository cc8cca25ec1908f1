"""The goals in the plots, against the words of the papers."""

from __future__ import annotations

import pytest

from lstm_studio.session.criteria import Criterion, Target, target_of
from lstm_studio.tasks.registry import new_task, tasks

CHANCE = {"loss": 0.5, "accuracy": 0.25}


def target(name: str, **parameters: object) -> Target | None:
    return target_of({"name": name, "parameters": {**new_task(name).parameters(), **parameters}}, CHANCE)


@pytest.mark.parametrize(
    ("name", "criterion", "value"),
    [
        ("temporal-order", Criterion.WITHIN, 1.0),
        ("adding", Criterion.WITHIN, 1.0),
        ("multiplication", Criterion.WITHIN, 1987 / 2000),
        ("copy-memory", Criterion.ACCURACY, 1.0),
        ("tones", Criterion.ACCURACY, 0.95),
        ("two-sequence", Criterion.ACCURACY, 0.995),
        ("waves", Criterion.LOSS, 0.5),
        ("pen-strokes", Criterion.LOSS, 0.5 / 3),
    ],
)
def test_the_goal_is_that_of_the_task(name: str, criterion: Criterion, value: float) -> None:
    found = target(name)
    assert found is not None
    assert found.criterion is criterion
    assert found.value == pytest.approx(value, abs=1e-3)


def test_every_task_has_one_goal() -> None:
    assert [name for name in tasks() if target(name) is None] == []


def test_a_loaded_sequence_asks_for_right_classes_or_less_than_chance() -> None:
    assert target_of({"sequence": "a.csv", "readout": "classes"}, CHANCE) == Target(Criterion.ACCURACY, 1.0)
    assert target_of({"sequence": "a.csv", "readout": "values"}, CHANCE) == Target(Criterion.LOSS, 0.5)


@pytest.mark.parametrize(
    "task",
    [{}, {"name": "rober", "parameters": {}}, {"name": "waves"}, {"name": "waves", "parameters": {"a": object()}}],
)
def test_what_is_not_known_has_no_goal(task: dict[str, object]) -> None:
    assert target_of(task, CHANCE) is None
    assert target_of({"name": "waves", "parameters": {}}, {}) is None

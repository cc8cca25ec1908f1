"""The dinner menu: the rule is checked day by day, by walking through the menu as a guest would."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_studio.errors import StudioError
from lstm_studio.tasks.dinner_menu import DinnerMenu

NEXT = {"pizza": "salad", "salad": "sushi", "sushi": "waffles", "waffles": "pizza"}


def test_every_day_follows_the_rule() -> None:
    drawn = DinnerMenu().generate(3000, seed=1)
    first_dinners: set[str] = set()
    first_fasts: set[int] = set()
    later_fasts: set[int] = set()
    menus: set[tuple[str, ...]] = set()
    for sequence in drawn:
        days = sequence.symbols
        assert days is not None
        assert len(days) == 28
        fasts = [day for day, symbol in enumerate(days) if symbol == "fast"]
        assert [fast // 7 for fast in fasts] == [0, 1, 2, 3]
        last = days[0]
        assert last in NEXT
        assert sequence.target is not None
        for day, symbol in enumerate(days):
            if symbol != "fast":
                assert day == 0 or symbol == NEXT[last]
                last = symbol
            assert drawn.classes[int(sequence.target[day].argmax())] == NEXT[last]
            assert sequence.target[day].sum() == 1.0
        first_dinners.add(days[0])
        first_fasts.add(fasts[0])
        later_fasts.update(fast % 7 for fast in fasts[1:])
        menus.add(days)
    assert first_dinners == set(NEXT)
    assert first_fasts == set(range(1, 7))
    assert later_fasts == set(range(7))
    # 3,000 draws from the 8,232 menus of the docstring: 8232·(1 − (1 − 1/8232)^3000) = 2,514 different ones expected.
    assert len(menus) == pytest.approx(2514, abs=100)


def test_the_chance_line_knows_the_round_but_remembers_nothing() -> None:
    task = DinnerMenu()
    batch = task.draw(400, np.random.default_rng(2))
    chance = task.chance(batch)
    # One day in seven is a fast, and there one guess in four is right.
    assert chance.accuracy == pytest.approx(6 / 7 + 1 / 7 / 4, rel=1e-12)
    assert chance.loss == pytest.approx(np.log(4.0) / 7, rel=1e-12)
    fasting = batch.inputs[..., 4] == 1.0
    assert np.array_equal(task.baseline(batch)[~fasting], batch.targets[~fasting])


def test_solved_means_every_answer_right() -> None:
    task = DinnerMenu(weeks=2)
    batch = task.draw(20, np.random.default_rng(3))
    perfect = batch.targets.astype(np.float64)
    chance = task.chance(batch)
    assert task.solved(task.score(perfect, batch), chance)
    assert task.right(perfect, batch).all()
    wrong = perfect.copy()
    wrong[5, 7] = np.roll(wrong[5, 7], 1)
    assert not task.solved(task.score(wrong, batch), chance)
    assert task.right(wrong, batch).tolist() == [index != 7 for index in range(20)]


def test_senseless_parameters_are_refused() -> None:
    with pytest.raises(StudioError, match="weeks is 0"):
        DinnerMenu(weeks=0)

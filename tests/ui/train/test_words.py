"""What Train says of a training, against what was written into its run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from lstm_studio.runs.opening import open_any
from lstm_studio.session.learning import Learning, learning_of
from lstm_studio.session.pictures import picture_of
from lstm_studio.training.plan import Equal, Plan
from lstm_studio.training.sizes import sizes_of
from lstm_studio.ui.theme import DARK, LIGHT
from lstm_studio.ui.train.equal import equal_rows
from lstm_studio.ui.train.rows import LOSS, SHARE, Resolver, chance_text, column_of, plot_rows
from lstm_studio.ui.train.words import duration, measure_words, result_words
from lstm_studio.ui.training_plots.pictures import CurvePicture, LagPicture
from tests.session.fake_training import CHANCE, FakeTraining, score, small_plan, write_training


def learning_at(folder: Path) -> Learning:
    learning = learning_of(picture_of(open_any(str(folder))))
    assert learning is not None
    return learning


def evaluated(folder: Path, task: str, reached: Mapping[str, float]) -> Learning:
    plan = Plan(task=task, hidden=4, updates=100, evaluate_every=10, held_out=8, companion="")
    made = FakeTraining(folder, plan)
    made.evaluate(0, {"lstm": score(2.0)})
    made.evaluate(10, {"lstm": reached})
    made.close()
    return learning_at(folder)


@pytest.mark.parametrize(
    ("task", "reached", "verdict", "words"),
    [
        ("temporal-order", score(0.01, 1.0, 1.0), True, "8 of 8 within 0.3"),
        ("temporal-order", score(0.5, 0.75, 0.5), False, "4 of 8 within 0.3; loss 0.50"),
        ("temporal-order", score(1.385, 0.25, 0.0), False, "0 of 8 within 0.3; loss at chance"),
        ("dinner-menu", score(0.01, 1.0, 0.5), True, "accuracy 1.000"),
        ("dinner-menu", score(0.3, 0.9, 0.5), False, "accuracy 0.900; loss 0.30"),
        ("waves", score(1.2, within=0.1), True, "loss 1.20, chance 1.39"),
        ("waves", score(1.5, within=1.0), False, "loss 1.50, chance 1.39"),
    ],
)
def test_the_verdict_is_by_what_the_task_asks(
    tmp_path: Path, task: str, reached: Mapping[str, float], verdict: bool, words: str
) -> None:
    learning = evaluated(tmp_path / "run", task, reached)
    assert result_words(learning, learning.learners[0]) == (verdict, words)


def test_the_goal_is_drawn_where_it_is_measured(tmp_path: Path) -> None:
    found = {}
    for task in ("temporal-order", "dinner-menu", "waves", "pen-strokes"):
        found[task] = [
            (row.key, line.text, round(line.value, 3), line.solved)
            for row in plot_rows(evaluated(tmp_path / task, task, score(1.0)), LIGHT)
            if isinstance(row.picture, CurvePicture)
            for line in row.picture.references
        ]
    assert found["temporal-order"] == [
        (LOSS, "chance, ln 4 = 1.386", 1.386, False),
        (SHARE, "solved", 1.0, True),
        (SHARE, "chance accuracy 0.25", 0.25, False),
    ]
    assert (SHARE, "solved at accuracy 1", 1.0, True) in found["dinner-menu"]
    assert found["waves"][0] == (LOSS, "solved below chance, 1.386", 1.386, False)
    assert found["pen-strokes"][:2] == [
        (LOSS, "chance, 1.386", 1.386, False),
        (LOSS, "solved below 0.46", 0.462, True),
    ]


def test_rows_hold_the_numbers_of_the_run_and_are_made_once(tmp_path: Path) -> None:
    write_training(tmp_path / "run")
    learning, resolver = learning_at(tmp_path / "run"), Resolver()
    shown = resolver.resolve(learning, 30, LIGHT)
    assert [row.key for row in shown.rows] == [LOSS, SHARE, "lags:lstm", "lags:rnn"]
    assert (shown.span.last, shown.edge, shown.cursor, shown.column) == (100, 50, 30, (25, 35))
    loss, share, first, second = (row.picture for row in shown.rows)
    assert isinstance(loss, CurvePicture)
    assert isinstance(share, CurvePicture)
    assert isinstance(first, LagPicture)
    assert isinstance(second, LagPicture)
    assert loss.lines[0].y is learning.learners[0].loss[1]
    assert [line.label for line in loss.lines] == ["LSTM 0.03", "RNN 1.39"]
    assert (loss.until, loss.words) == (50, "not trained")
    assert [(one.position, one.text) for one in share.happenings] == [(30, "LSTM 8 of 8 from 30")]
    assert first.norms is learning.learners[0].lags[1]
    assert first.axis is second.axis
    assert first.axis is not None
    assert (first.axis.low, first.axis.high) == (-16, 0), "of both networks"
    assert resolver.resolve(learning, 10, LIGHT).rows is shown.rows
    assert resolver.resolve(learning, 10, DARK).rows is not shown.rows


def test_a_column_reaches_halfway_to_the_steps_beside_it(tmp_path: Path) -> None:
    write_training(tmp_path / "run")
    learning = learning_at(tmp_path / "run")
    assert column_of(learning, 20) == (15, 25)
    assert column_of(learning, 0) == (0, 5)
    assert column_of(learning, 50) == (45, 50)


def test_chance_is_written_with_its_formula_where_it_has_one(tmp_path: Path) -> None:
    learning = evaluated(tmp_path / "run", "temporal-order", score(1.0))
    assert chance_text(learning, CHANCE["loss"]) == "chance, ln 4 = 1.386"
    assert chance_text(learning, 0.079) == "chance, 0.079"
    assert (
        measure_words(learning) == "evaluated every 10 steps · 8 held-out sequences · gradients: root mean square of 8"
    )


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "0 s"), (4, "4 s"), (89, "89 s"), (150, "2 min"), (7800, "2 h 10 min"), (1e6, "277 h")],
)
def test_durations_are_as_exact_as_anybody_wants(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_the_list_says_what_is_equal_and_what_is_not() -> None:
    def rows(plan: Plan) -> dict[str, tuple[str, bool]]:
        return {row.name: (row.text, row.same) for row in equal_rows(plan, sizes_of(plan))}

    same_units = rows(small_plan(forget_bias=2.0))
    assert same_units["Hidden units"] == ("4 = 4", True)
    assert same_units["Forget bias"] == ("2 ≠ none", False)
    weights = [size.weights for size in sizes_of(small_plan())]
    assert same_units["Weights"] == (f"{weights[0]} ≠ {weights[1]}", False)
    same_weights = rows(small_plan(match=Equal.PARAMETERS))
    assert same_weights["Hidden units"][1] is False
    assert rows(small_plan(companion="lstm"))["Weights"][1] is True
    assert equal_rows(small_plan(companion=""), ()) == ()

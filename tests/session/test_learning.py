"""What a training shows, against what was written into its run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from lstm_studio.networks.signals import Role
from lstm_studio.runs.format import Line
from lstm_studio.runs.like import Status
from lstm_studio.runs.opening import open_any
from lstm_studio.session.learning import Learning, badges_of, learning_of
from lstm_studio.session.pictures import picture_of
from tests.session.fake_training import CHANCE, FakeTraining, score, shown_gradients, small_plan, write_training


def learning_at(folder: Path) -> Learning:
    learning = learning_of(picture_of(open_any(str(folder))))
    assert learning is not None
    return learning


def test_every_number_is_that_of_the_run(tmp_path: Path) -> None:
    write_training(tmp_path / "run")
    learning = learning_at(tmp_path / "run")
    assert (learning.title, learning.planned, learning.done, learning.held_out) == ("Temporal order", 100, 50, 8)
    assert (learning.status, learning.stopped, learning.paused, learning.classes) == (
        Status.FINISHED,
        True,
        False,
        True,
    )
    assert learning.snapshots == (0, 10, 20, 30, 40, 50)
    assert learning.chance == CHANCE
    first, second = learning.learners
    assert (first.key, first.title, first.name, first.letter, first.role) == (
        "lstm",
        "LSTM",
        "LSTM",
        "L",
        Role.LONG_TERM,
    )
    assert (second.key, second.title, second.name, second.letter) == ("rnn", "Vanilla RNN", "RNN", "R")
    assert (first.units, first.layers, second.place) == (4, 1, 1)
    assert first.loss[0].tolist() == [0, 10, 20, 30, 40, 50]
    np.testing.assert_array_equal(first.loss[1], [1.4 / (1 + step) for step in range(0, 51, 10)])
    assert first.forget_gate[1].tolist() == [0.75] * 6
    assert second.forget_gate[0].size == 0
    for learner in learning.learners:
        steps, norms = learner.lags
        np.testing.assert_array_equal(norms, shown_gradients(learner.place, steps.tolist()))
    assert (first.solved_at, second.solved_at) == (30, None)
    assert (first.passed, second.passed, learning.tested) == (True, False, True)


def test_the_top_layer_on_held_out_sequences_is_what_is_shown_of_gradients(tmp_path: Path) -> None:
    made = FakeTraining(tmp_path / "run", small_plan(layers=2))
    for step in (0, 10):
        made.evaluate(step, {"lstm": score(1.0), "rnn": score(1.0)})
    lags = {"lstm.1": {"hidden_state": [5.0, 4.0]}, "lstm.lstm.1": {"hidden_state": [9.0, 9.0]}}
    made.say(Line("layer/lstm.lstm", "statistics"), {"step": 10, "item": 0, "values": {}, "lags": lags})
    made.close()
    steps, norms = learning_at(tmp_path / "run").learners[0].lags
    assert (steps.tolist(), norms.tolist()) == ([10], [[5.0, 4.0]])


def test_a_pause_is_over_when_the_training_goes_on(tmp_path: Path) -> None:
    made = write_training(tmp_path / "run", close=False)
    found = []
    for event in ("paused", "resumed", "paused"):
        made.event(event, step=50)
        learning = learning_at(tmp_path / "run")
        found.append((learning.running, learning.paused))
    made.close()
    assert found == [(True, True), (True, False), (True, True)]


def test_runs_of_others_are_no_trainings_of_ours(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    write_training(folder)
    (folder / "run.json").write_text('{"format": 1, "layers": []}')
    assert learning_of(picture_of(open_any(str(folder)))) is None


@pytest.mark.parametrize("said", [{"networks": 7}, {"networks": [3, {}]}, {"networks": []}, {}])
def test_nonsense_is_no_training(tmp_path: Path, said: object) -> None:
    folder = tmp_path / "run"
    write_training(folder)
    (folder / "run.json").write_text(json.dumps({"format": 1, "layers": [], "training": said}))
    assert learning_of(picture_of(open_any(str(folder)))) is None


def test_two_networks_of_one_kind_have_different_colours() -> None:
    assert badges_of(("lstm", "rnn")) == (("L", Role.LONG_TERM), ("R", Role.RECURRENT))
    assert badges_of(("lstm", "lstm")) == (("L", Role.LONG_TERM), ("L", Role.GRADIENT))
    assert badges_of(("gru", "rnn")) == (("R", Role.RECURRENT), ("R", Role.GRADIENT))


def test_the_weights_of_a_snapshot_lie_where_the_reader_finds_them(tmp_path: Path) -> None:
    write_training(tmp_path / "run")
    learning, run = learning_at(tmp_path / "run"), open_any(str(tmp_path / "run"))
    for learner in learning.learners:
        assert Path(learning.weights_file(30, learner.key)) == run.snapshot(30, learner.key)

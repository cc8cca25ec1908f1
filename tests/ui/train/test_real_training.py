"""A real training, in a process of its own, from the button to the traces of its snapshots."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from lstm_studio.runs.like import Status
from lstm_studio.session.compute import Computer
from lstm_studio.session.settings import Settings
from lstm_studio.training.plan import Plan
from tests.ui.opened import opened_window

pytestmark = [pytest.mark.qt_log_ignore("plugin does not support"), pytest.mark.timeout(180)]

_PATIENCE = 90_000


def test_networks_are_trained_and_looked_at(qtbot: QtBot, tmp_path: Path) -> None:
    settings = Settings(theme="light", trainings=str(tmp_path / "trainings"))
    plan = Plan(task="dinner-menu", hidden=4, updates=30, batch=4, evaluate_every=10, held_out=8, seed=3, device="cpu")
    with opened_window(Computer(), settings) as window:
        trainings = window.trainings
        window.show_workspace("train")
        trainings.propose(plan)
        window.command_actions["train.start"].trigger()
        qtbot.waitUntil(lambda: trainings.learning is not None and trainings.learning.tested, timeout=_PATIENCE)
        qtbot.waitUntil(lambda: not trainings.unfinished, timeout=_PATIENCE)
        learning = trainings.learning
        assert learning is not None
        assert (learning.status, learning.done) == (Status.FINISHED, 30)
        assert {0, 10, 20, 30} <= set(learning.snapshots)
        for learner in learning.learners:
            assert learner.loss[0][-1] == 30
            assert learner.lags[1].shape[1] == 28, "four weeks"
        trainings.select(10)
        window.command_actions["train.open-in-explore"].trigger()
        qtbot.waitUntil(lambda: window.current_workspace == "explore" and not window.session.waiting, timeout=_PATIENCE)
        result = window.session.result
        assert [info.title for info in result.infos] == ["LSTM", "Vanilla RNN"]
        assert all("00000010" in info.source for info in result.infos)
        assert result.sequence.steps == 28
        # The mean of the loss that the training has told of all held-out sequences, over those shown here.
        losses = _losses(window.session.setup.data, result.setup.network.checkpoint or "")
        told = dict(zip(learning.learners[0].loss[0].tolist(), learning.learners[0].loss[1].tolist(), strict=True))
        assert sum(losses) / len(losses) == pytest.approx(told[10], rel=1e-5)
        assert not window.stage.notices.notices


def _losses(sequences: object, checkpoint: str) -> list[float]:
    """The cross-entropy of each sequence, with torch alone."""
    import torch

    import lstm_studio as ls
    from lstm_studio.sequences.sequence import SequenceSet

    assert isinstance(sequences, SequenceSet)
    module = ls.open_network(checkpoint).module
    found = []
    for sequence in sequences:
        with torch.no_grad():
            outputs = module(torch.tensor(sequence.values)[:, None])[:, 0]
        assert sequence.target is not None
        target = torch.tensor(sequence.target)
        scored = target.sum(-1) > 0
        found.append(float(torch.nn.functional.cross_entropy(outputs[scored], target[scored])))
    return found

"""Several processes that train together: the same as one with the whole batch, to rounding."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from lstm_studio.errors import StudioError
from lstm_studio.networks.checkpoints import open_network
from lstm_studio.progress import ignore_progress
from lstm_studio.runs.reader import open_run
from lstm_studio.tasks.temporal_order import TemporalOrder
from lstm_studio.tasks.waves import Waves
from lstm_studio.training import command
from lstm_studio.training.plan import Plan
from lstm_studio.training.share import Share, joined
from lstm_studio.training.trainer import Recipe, Trainer


@dataclass(frozen=True, slots=True)
class Silent(Share):
    """Adds nothing up, so that a test can."""

    def add_up(self, tensors: list[Tensor]) -> None:
        return


@pytest.mark.parametrize("batch", [1, 5, 8])
@pytest.mark.parametrize("task", [TemporalOrder(length=20, spread=4), Waves(length=12)])
def test_the_shares_of_all_processes_add_up_to_the_gradient_of_the_whole_batch(
    task: TemporalOrder | Waves, batch: int
) -> None:
    recipe = Recipe(hidden_size=4, batch=batch, held_out=4, seed=2)
    whole = Trainer(task, recipe)
    losses = whole.measure()
    parts = [Trainer(task, recipe, Silent(rank, 3)) for rank in range(3)]
    found = [part.measure() for part in parts]
    for key, network in whole.networks.items():
        assert sum(part[key] for part in found) == pytest.approx(losses[key], rel=1e-5)
        for name, weight in network.module.named_parameters():
            total = torch.zeros_like(weight)
            for part in parts:
                gradient = part.networks[key].module.get_parameter(name).grad
                assert gradient is not None
                total += gradient
            assert weight.grad is not None
            torch.testing.assert_close(total, weight.grad, rtol=1e-4, atol=1e-7)


def test_two_processes_under_torchrun_train_as_one(tmp_path: Path) -> None:
    plan = Plan(
        task="temporal-order",
        parameters={"length": 20, "spread": 3},
        hidden=5,
        updates=30,
        batch=7,
        evaluate_every=10,
        held_out=16,
        device="cpu",
    )
    command.train(plan, tmp_path / "one", ignore_progress)
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*launcher, "-m", "--", "lstm_studio", *plan.arguments(tmp_path / "two")],
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    # One of the two reports.
    assert done.stdout.count("tested on 2,000 sequences") == 1
    one, two = open_run(tmp_path / "one"), open_run(tmp_path / "two")
    assert two.info["world_size"] == 2
    assert str(two.status) == "finished"
    assert [path.name for path in (tmp_path / "two").glob("rank*")] == ["rank00000"]
    assert two.snapshots == one.snapshots
    for key in plan.keys:
        networks = [open_network(run.snapshot(30, key)).module.state_dict() for run in (one, two)]
        for name, weight in networks[0].items():
            torch.testing.assert_close(networks[1][name], weight, rtol=1e-4, atol=1e-6)
        steps, losses = one.scalars[f"{key}.train_loss"]
        assert np.array_equal(two.scalars[f"{key}.train_loss"][0], steps)
        assert np.allclose(two.scalars[f"{key}.train_loss"][1], losses, rtol=1e-4)
    for name, (_, values) in one.parameters.items():
        assert np.allclose(two.parameters[name][1], values, rtol=1e-3, atol=1e-5)


def test_more_processes_than_sequences_are_a_users_error(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"WORLD_SIZE": "4", "RANK": "0", "LOCAL_RANK": "0"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(StudioError, match=r"4 processes share a batch of 3"), joined("cpu", 3):
        pass


def test_a_single_process_is_alone() -> None:
    with joined("cpu", 1) as share:
        assert share.is_first
        assert share.told(True)
        assert not share.told(False)
        batch = Waves(length=5).draw(3, np.random.default_rng(0))
        assert share.of(batch) is batch
    assert replace(share, rank=1).is_first is False

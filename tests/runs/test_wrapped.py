"""Models that others have wrapped: compiled ones, and those that several processes train together."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import lstm_studio as ls
from tests.runs.step_by_step import StepByStep

T, B, F, H = 6, 2, 3, 4


class Net(nn.Module):
    """A recurrent layer and a read-out."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn, self.out = nn.LSTM(F, H), nn.Linear(H, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return (T, B, 1) for (T, B, F)."""
        scores: Tensor = self.out(self.rnn(x)[0])
        return scores


class Loop(nn.Module):
    """A loop over a cell."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(F, H)

    def forward(self, x: Tensor) -> Tensor:
        """Return the last hidden state, (B, H)."""
        h = c = torch.zeros(x.shape[1], H, dtype=x.dtype)
        for x_t in x:
            h, c = self.cell(x_t, (h, c))
        return h


def gradients(model: Net, x: Tensor, name: str = "rnn.0.hidden_state") -> np.ndarray[Any, Any]:
    """Return dL/dh_t of the first item for the mean square of what ``model`` returns, by autograd, (T, H)."""
    stack = StepByStep(model.rnn, "rnn")
    output, _ = stack.run(x[:, 0])
    loss = model.out(output).pow(2).sum() / x.shape[0] / x.shape[1]
    return torch.stack(torch.autograd.grad(loss, stack.nodes[name])).numpy()


@pytest.fixture
def compiling() -> Iterator[None]:
    """Let the compiler be itself: what it warns of is its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch._dynamo.reset()
        yield
        torch._dynamo.reset()


def train(run: Any, compiled: Any, steps: int) -> Tensor:
    """Train for some steps and return the last batch; the weights stay."""
    x = torch.empty(0)
    for _ in range(steps):
        x = torch.randn(T, B, F, dtype=torch.float64)
        loss = compiled(x).pow(2).mean()
        torch.autograd.backward(loss)
        run.step(loss=loss)
    return x


@pytest.mark.usefixtures("compiling")
@pytest.mark.parametrize("when", ["before it is compiled", "while it trains", "by its wrapper"])
def test_a_compiled_model_with_a_fused_layer_is_recorded(when: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = Net().double()
    compiled = torch.compile(model, backend="eager")
    if when == "while it trains":
        compiled(torch.randn(T, B, F, dtype=torch.float64))
    wrapper: Any = compiled
    with ls.watch(wrapper if when == "by its wrapper" else model, tmp_path / "run", every=2, dtype="float64") as run:
        x = train(run, compiled, 5)
    read = ls.open_run(tmp_path / "run")
    assert read.steps == [0, 2, 4]
    assert read.layers == ["rnn"]
    expected = gradients(model, x)
    np.testing.assert_allclose(read.trace(4)["grad.rnn.0.hidden_state"], expected, rtol=1e-9, atol=1e-18)
    assert not model.rnn._forward_hooks


@pytest.mark.usefixtures("compiling")
def test_a_loop_that_is_compiled_while_it_is_watched_is_recorded(tmp_path: Path) -> None:
    torch.manual_seed(1)
    model = Loop().double()
    compiled = torch.compile(model, backend="eager")
    with ls.watch(model, tmp_path / "run", every=2, dtype="float64") as run:
        x = train(run, compiled, 3)
    trace = ls.open_run(tmp_path / "run").trace(2)
    h = c = torch.zeros(1, H, dtype=torch.float64)
    states = []
    for x_t in x[:, :1]:
        h, c = model.cell(x_t, (h, c))
        states.append(c)
    expected = torch.cat(torch.autograd.grad(h.pow(2).sum() / (B * H), states)).numpy()
    np.testing.assert_allclose(trace["grad.cell.0.cell_state"], expected, rtol=1e-9, atol=1e-18)


@pytest.mark.usefixtures("compiling")
def test_a_loop_that_was_compiled_already_is_told_once(tmp_path: Path) -> None:
    """The compiler has taken the cell apart: nobody is called any more, and the run says what to do."""
    model = Loop().double()
    compiled = torch.compile(model, backend="eager")
    compiled(torch.randn(T, B, F, dtype=torch.float64))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        run = ls.watch(model, tmp_path / "run", every=1)
        train(run, compiled, 4)
        run.close()
    ours = [str(one.message) for one in told if "LSTM Studio" in str(one.message)]
    assert len(ours) == 1
    assert "has to be watched before it is compiled" in ours[0]
    read = ls.open_run(tmp_path / "run")
    assert read.status == "finished"
    assert read.steps == []
    assert len(read.scalars["loss"][0]) == 4
    assert any(event["event"] == "nothing captured" for event in read.events)


PROCESS = """
import sys, torch, lstm_studio as ls
from tests.runs.test_wrapped import Net, batch
rank, folder, ranks = int(sys.argv[1]), sys.argv[2], sys.argv[3]
torch.set_num_threads(1)
torch.distributed.init_process_group("gloo", init_method=f"file://{folder}.meet", rank=rank, world_size=2)
torch.manual_seed(0)
model = torch.nn.parallel.DistributedDataParallel(Net().double())
optimiser = torch.optim.SGD(model.parameters(), lr=0.5)
with ls.watch(model, folder, every=2, ranks=ranks, dtype="float64") as run:
    for step in range(5):
        loss = model(batch(rank, step)).pow(2).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        run.step(loss=loss)
torch.distributed.destroy_process_group()
"""


def batch(rank: int, step: int) -> Tensor:
    """Return what a process is given at a step."""
    torch.manual_seed(10 * step + rank + 1)
    return torch.randn(T, B, F, dtype=torch.float64)


@pytest.mark.parametrize("ranks", ["0", "all"])
def test_two_processes_that_train_together(ranks: str, tmp_path: Path) -> None:
    """Each records its own part, and nobody waits: what the optimiser gets is the mean over both."""
    folder, root = tmp_path / "run", Path(__file__).parents[2]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, str(rank), str(folder), ranks], cwd=root, stderr=subprocess.PIPE, text=True
        )
        for rank in (0, 1)
    ]
    told = [process.communicate(timeout=100)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], told
    assert (
        sorted(path.name for path in folder.glob("rank*")) == ["rank00000", "rank00001"][: 2 if ranks == "all" else 1]
    )

    torch.manual_seed(0)
    model = Net().double()
    optimiser = torch.optim.SGD(model.parameters(), lr=0.5)
    runs = [ls.open_run(folder, rank=rank) for rank in ((0, 1) if ranks == "all" else (0,))]
    for step in range(5):
        for rank, run in enumerate(runs):
            assert run.status == "finished"
            assert run.info["world_size"] == 2
            assert run.layers == ["rnn"]
            assert run.steps == [0, 2, 4]
            if step in run.steps:
                expected = gradients(model, batch(rank, step))
                np.testing.assert_allclose(run.trace(step)["grad.rnn.0.hidden_state"], expected, rtol=1e-9, atol=1e-18)
        optimiser.zero_grad()
        losses = [model(batch(rank, step)).pow(2).mean() for rank in (0, 1)]
        torch.autograd.backward(sum(losses, torch.zeros(())) / 2)
        for rank, run in enumerate(runs):
            assert run.scalars["loss"][1][step] == pytest.approx(losses[rank].item(), rel=1e-9)
            if step in run.steps:
                weight = model.get_parameter("rnn.weight_hh_l0")
                assert weight.grad is not None
                norms = run.parameters["rnn.weight_hh_l0.gradient_norm"]
                assert norms[1][step // 2] == pytest.approx(weight.grad.norm().item(), rel=1e-9)
                assert run.parameters["rnn.weight_hh_l0.update_norm"][1][step // 2] == pytest.approx(
                    0.5 * weight.grad.norm().item(), rel=1e-9
                )
        optimiser.step()

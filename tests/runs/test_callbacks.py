"""Recording from within the trainers of Lightning and of Hugging Face, against stand-ins that call as these do.

The orders of calls are those of Lightning 2.6 and transformers 5.23, where the callbacks were tried as well.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import lstm_studio as ls
from lstm_studio.runs import callbacks


@pytest.fixture(autouse=True)
def as_at_first() -> Iterator[None]:
    """Forget the classes that were made from a stand-in."""
    yield
    for name in callbacks._KINDS:
        vars(callbacks).pop(name, None)


def stand_in(monkeypatch: pytest.MonkeyPatch, package: str, name: str) -> type:
    """Put a package in place that has nothing but the base class of its callbacks."""
    base = type(name, (), {"on_anything_else": lambda self, *args, **more: None})
    module = ModuleType(package)
    setattr(module, name, base)
    monkeypatch.setitem(sys.modules, package, module)
    return base


class Model(nn.Module):
    """A recurrent layer and a read-out."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn, self.out = nn.LSTM(3, 4), nn.Linear(4, 1)

    def loss(self) -> Tensor:
        """Return a loss on random sequences."""
        loss: Tensor = self.out(self.rnn(torch.randn(5, 2, 3))[0]).pow(2).mean()
        return loss


class LightningLoop:
    """Calls a callback as Lightning's ``Trainer`` does."""

    def __init__(self, callback: Any, accumulate: int) -> None:
        self.callback, self.accumulate_grad_batches = callback, accumulate
        self.global_step, self.sanity_checking = 0, True
        self.callback_metrics: dict[str, Tensor] = {}
        self.precision_plugin = SimpleNamespace(scaler=None)
        self.losses: list[float] = []

    def fit(self, model: Model, batches: int) -> None:
        """Train one epoch, with a validation before and after it."""
        optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
        self.callback.on_validation_end(self, model)
        self.sanity_checking = False
        self.callback.on_train_start(self, model)
        for batch in range(batches):
            loss = model.loss()
            torch.autograd.backward(loss / self.accumulate_grad_batches)
            if (batch + 1) % self.accumulate_grad_batches == 0:
                optimiser.step()
                self.global_step += 1
                self.losses.append(loss.item())
            self.callback_metrics |= {"accuracy": torch.tensor(0.1 * batch)}
            outputs = {"loss": loss.detach() / self.accumulate_grad_batches}
            self.callback.on_train_batch_end(self, model, outputs, None, batch)
            if (batch + 1) % self.accumulate_grad_batches == 0:
                optimiser.zero_grad()
        self.callback_metrics |= {"val_loss": torch.tensor(7.0)}
        self.callback.on_validation_end(self, model)
        self.callback.on_train_end(self, model)


@pytest.mark.parametrize("package", ["lightning.pytorch", "pytorch_lightning"])
@pytest.mark.parametrize("accumulate", [1, 3])
def test_lightning(package: str, accumulate: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = stand_in(monkeypatch, package, "Callback")
    callback = ls.lightning_callback(tmp_path / "run", every=2)
    assert base in type(callback).__mro__
    assert type(pickle.loads(pickle.dumps(callback))) is type(callback)  # noqa: S301 - our own
    loop = LightningLoop(callback, accumulate)
    loop.fit(Model(), 12)
    run = ls.open_run(tmp_path / "run")
    updates = 12 // accumulate
    assert run.status == "finished"
    assert run.layers == ["rnn"]
    assert run.steps == list(range(0, updates, 2))
    assert run.scalars["loss"][1] == pytest.approx(loop.losses)
    assert list(run.scalars["loss"][0]) == list(range(updates))
    assert len(run.scalars["accuracy"][0]) == updates
    assert [list(part) for part in run.scalars["val_loss"]] == [[updates - 1], [7.0]]
    assert run.trace(0).provenance.objective == "loss"
    assert run.parameters["all.gradient_norm"][1].min() > 0
    assert run.parameters["all.update_norm"][1] == pytest.approx(0.1 * run.parameters["all.gradient_norm"][1], rel=1e-4)


def test_a_lightning_training_that_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, "pytorch_lightning", "Callback")
    callback, model = ls.lightning_callback(tmp_path / "run"), Model()
    loop = LightningLoop(callback, 1)
    callback.on_train_start(loop, model)
    callback.on_exception(loop, model, ValueError("a bad batch"))
    callback.on_train_end(loop, model)
    run = ls.open_run(tmp_path / "run")
    assert run.status == "died"
    assert run.events[-1]["error"] == "a bad batch"


@pytest.mark.parametrize("has_optimizer_step", [True, False])
def test_hugging_face(has_optimizer_step: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gradients are zero by the end of a step; older versions tell of nothing before."""
    base = stand_in(monkeypatch, "transformers", "TrainerCallback")
    callback, model = ls.hugging_face_callback(tmp_path / "run", every=4), Model()
    assert base in type(callback).__mro__
    scaler = SimpleNamespace(get_scale=lambda: 8.0)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    args, state, control = SimpleNamespace(), SimpleNamespace(global_step=0), SimpleNamespace()
    more = {"model": model, "optimizer": SimpleNamespace(scaler=scaler), "train_dataloader": None}
    callback.on_train_begin(args, state, control, **more)
    for _ in range(10):
        for part in range(2):
            torch.autograd.backward(8.0 * model.loss())
            if part == 0:
                callback.on_anything_else(args, state, control, **more)
        optimiser.step()
        if has_optimizer_step:
            callback.on_optimizer_step(args, state, control, **more)
        optimiser.zero_grad()
        state.global_step += 1
        callback.on_step_end(args, state, control, **more)
        if state.global_step % 5 == 0:
            callback.on_log(args, state, control, logs={"loss": 0.5, "epoch": 1, "text": "no number"}, **more)
    callback.on_train_end(args, state, control, **more)
    run = ls.open_run(tmp_path / "run")
    assert run.status == "finished"
    assert run.steps == [0, 4, 8]
    assert [list(part) for part in run.scalars["loss"]] == [[4, 9], [0.5, 0.5]]
    assert set(run.scalars) == {"loss", "epoch"}
    assert ("all.gradient_norm" in run.parameters) == has_optimizer_step
    assert run.parameters["all.update_norm"][1].min() > 0


def test_a_package_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("lightning.pytorch", "pytorch_lightning", "transformers"):
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ls.RunError, match="Install pytorch_lightning"):
        ls.lightning_callback("run")
    with pytest.raises(ls.RunError, match="transformers cannot be imported"):
        ls.hugging_face_callback("run")
    with pytest.raises(AttributeError):
        _ = callbacks.KerasCallback

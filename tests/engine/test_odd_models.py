"""Models that keep, return or do what few models do."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from numpy.random import mtrand
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm, weight_norm
from torch.nn.utils.parametrize import register_parametrization
from torch.utils.checkpoint import checkpoint

from lstm_studio import TraceError, trace


class Plain(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.LSTM(3, 4, batch_first=True)
        self.head = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Any:
        return self.head(self.rnn(x)[0])


def x() -> Tensor:
    return torch.randn(2, 6, 3, generator=torch.Generator().manual_seed(1))


class Keeping(Plain):
    """Keeps beside its weights whatever it is given."""

    def __init__(self, buffer: Tensor) -> None:
        super().__init__()
        self.register_buffer("kept", buffer)


KEPT = {
    "sparse": torch.eye(4).to_sparse(),
    "one number shown often": torch.ones(1).expand(5),
    "a matrix shown often": torch.ones(1, 3).expand(4, 3),
    "truths": torch.ones(3) > 0,
    "complex": torch.ones(3) * 1j,
    "of eight bits": torch.ones(3).to(torch.float8_e4m3fn),
    "nothing": torch.empty(0),
}


@pytest.mark.parametrize("kept", KEPT)
def test_a_model_may_keep_any_tensor(kept: str) -> None:
    model = Keeping(KEPT[kept])
    traced = trace(model, x())
    assert traced.recovery_error < 1e-6
    assert trace(model, x()).provenance.network == traced.provenance.network


def test_what_is_kept_counts_for_the_fingerprint() -> None:
    def fingerprint(size: int) -> str:
        torch.manual_seed(0)
        return trace(Keeping(torch.eye(size).to_sparse()), x()).provenance.network

    assert fingerprint(4) == fingerprint(4) != fingerprint(5)


class WithState(Plain):
    """Stores what is no tensor."""

    extra = 1.0

    def get_extra_state(self) -> dict[str, Any]:
        return {"name": "mine", "numbers": (torch.full((2,), self.extra), None)}

    def set_extra_state(self, state: object) -> None:
        pass


def test_a_model_may_store_what_is_no_tensor() -> None:
    model = WithState()
    before = trace(model, x()).provenance.network
    assert trace(model, x()).provenance.network == before
    model.extra = 2.0
    assert trace(model, x()).provenance.network != before


@dataclass
class Answer:
    loss: Tensor | None
    logits: Tensor


class Answering(Plain):
    def __init__(self, form: Callable[[Tensor], object]) -> None:
        super().__init__()
        self.form = form

    def forward(self, x: Tensor) -> object:
        return self.form(super().forward(x))


@pytest.mark.parametrize(
    "form",
    [lambda out: Answer(None, out), lambda out: {"logits": out, "more": 1}, lambda out: ([None, (out,)], 1)],
    ids=["dataclass", "mapping", "rows"],
)
def test_the_output_is_found_in_what_a_model_returns(form: Callable[[Tensor], object]) -> None:
    torch.manual_seed(0)
    model = Answering(form)
    torch.manual_seed(0)
    plain = Plain()

    def objective(output: Tensor) -> Tensor:
        return output.square().sum()

    found, expected = trace(model, x(), objective=objective), trace(plain, x(), objective=objective)
    np.testing.assert_array_equal(found["grad.input"], expected["grad.input"])


@pytest.mark.parametrize("form", [lambda out: None, lambda out: {}, lambda out: [[]], lambda out: {"a": {"b": 1}}])
def test_a_model_without_an_output_is_named(form: Callable[[Tensor], object]) -> None:
    with pytest.raises(TraceError, match=r"The model returns .*, not a tensor\."):
        trace(Answering(form), x(), objective=lambda output: output.sum())


def test_an_objective_is_differentiated_inside_inference_mode() -> None:
    model = Plain()
    expected = trace(model, x(), objective=lambda output: output.square().sum())
    with torch.inference_mode():
        found = trace(model, x(), objective=lambda output: output.square().sum())
    np.testing.assert_array_equal(found["grad.input"], expected["grad.input"])


class Changing(Plain):
    """Makes and forgets modules and weights as it runs."""

    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Linear(1, 1)
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor) -> Any:
        self.made = nn.Linear(2, 2)
        self.scale = nn.Parameter(torch.full((1,), 2.0))
        del self.unused
        return super().forward(x)


def test_modules_and_weights_are_left_as_found() -> None:
    model = Changing()
    before = dict(model.named_modules()), dict(model.named_parameters())
    trace(model, x())
    assert dict(model.named_modules()) == before[0]
    after = dict(model.named_parameters())
    assert after.keys() == before[1].keys()
    assert all(after[name] is weight for name, weight in before[1].items())


def test_a_model_that_cannot_be_copied_says_where_to_put_it() -> None:
    model = Plain()
    vars(model)["lock"] = threading.Lock()
    assert trace(model, x()).recovery_error < 1e-6
    with pytest.raises(TraceError, match=r"not on cpu in float64.*model\.to\('cpu', torch\.float64\)"):
        trace(model, x(), dtype="float64")
    assert trace(model.double(), x(), dtype="float64").recovery_error < 1e-14


def test_complex_weights_are_refused() -> None:
    module = nn.RNN(3, 4)
    module.weight_hh_l0 = nn.Parameter(module.get_parameter("weight_hh_l0").to(torch.complex64))
    with pytest.raises(TraceError, match="complex weights"):
        trace(module, torch.randn(6, 3))


class Again(nn.Module):
    """Computes a part once more on the way back."""

    def __init__(self, *, reentrant: bool) -> None:
        super().__init__()
        self.below, self.above = nn.GRU(3, 4, batch_first=True), nn.GRU(4, 4, batch_first=True)
        self.reentrant = reentrant

    def forward(self, x: Tensor) -> Any:
        def part(hidden: Tensor) -> Tensor:
            squashed: Tensor = torch.tanh(self.above(hidden)[0])
            return squashed

        return checkpoint(part, self.below(x)[0], use_reentrant=self.reentrant)


@pytest.mark.parametrize("reentrant", [False, True])
def test_parts_that_are_computed_again_on_the_way_back_get_one_message(reentrant: bool) -> None:
    model = Again(reentrant=reentrant)
    with pytest.raises(TraceError, match=r"cannot go back through.*gradients=False"):
        trace(model, x(), objective=lambda output: output.square().sum())
    if not reentrant:
        assert trace(model, x(), gradients=False).recovery_error < 1e-6


class Dropped(nn.Module):
    """Drops out some of the weights whenever they are asked for."""

    def forward(self, weight: Tensor) -> Tensor:
        return nn.functional.dropout(weight, 0.5, training=True)


class Twice(nn.Module):
    """Calls one layer twice."""

    def __init__(self, *, layers: int = 1, dropout: float = 0.0) -> None:
        super().__init__()
        self.rnn = nn.LSTM(3, 4, layers, batch_first=True, dropout=dropout)

    def forward(self, x: Tensor) -> Any:
        return self.rnn(x)[0] + self.rnn(x.flip(1))[0]


class Replaced(Twice):
    """Computes with other numbers in the place of its weights."""

    def forward(self, x: Tensor) -> Any:
        others = {name: 1.5 * weight for name, weight in self.rnn.named_parameters()}
        return torch.func.functional_call(self.rnn, others, (x,))[0]


def dropped() -> nn.Module:
    model = Twice()
    register_parametrization(model.rnn, "weight_hh_l0", Dropped())
    return model


def bounded() -> nn.Module:
    model = Twice()
    with torch.no_grad():
        model.rnn.get_parameter("weight_hh_l0").mul_(3)
    spectral_norm(model.rnn, "weight_hh_l0")
    return model


def normed_below() -> nn.Module:
    model = Twice(layers=2, dropout=0.4)
    weight_norm(model.rnn, "weight_hh_l0")
    return model


def bare() -> nn.Module:
    module = nn.GRU(3, 4, batch_first=True)
    register_parametrization(module, "weight_ih_l0", Dropped())
    return module


@pytest.mark.parametrize("make", [dropped, bounded, normed_below, bare, Replaced])
def test_weights_that_are_computed_are_those_of_each_call(make: Callable[[], nn.Module]) -> None:
    torch.manual_seed(0)
    model = make().train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.get_rng_state()
    traced = trace(model, x(), item=1)
    assert traced.recovery_error < 1e-6
    assert torch.equal(torch.get_rng_state(), state)
    after = model.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())
    hidden: list[Tensor] = []
    inner = model.get_submodule("" if make is bare else "rnn")
    inner.register_forward_hook(lambda *called: hidden.append(called[2][0]))
    model(x())
    prefix = traced.layers[-1].prefix.replace("#2", "")
    np.testing.assert_allclose(traced[f"{prefix}.hidden_state"], hidden[0][1].detach(), atol=1e-6)


class Drawing(Plain):
    """Draws from all there is to draw from, as decoders do that are told the truth now and then."""

    def forward(self, x: Tensor) -> Any:
        draws()
        return super().forward(x)


def draws() -> tuple[list[int], int, list[int]]:
    """Return what Python, NumPy and PyTorch draw next."""
    numbers = list(range(100))
    random.shuffle(numbers)
    return numbers, int(mtrand._rand.permutation(1000)[0]), torch.randperm(100).tolist()


def test_no_random_numbers_are_used_up() -> None:
    model = Drawing()
    before = random.getstate(), mtrand._rand.get_state(legacy=False), torch.get_rng_state()
    expected = draws()
    random.setstate(before[0])
    mtrand._rand.set_state(before[1])
    torch.set_rng_state(before[2])
    trace(model, x())
    assert draws() == expected


class Normed(nn.Module):
    """Normalises between two layers, and counts its calls in a number that it goes on with."""

    calls: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.below, self.above = nn.LSTM(3, 4, batch_first=True), nn.GRU(4, 4, batch_first=True)
        self.norm = nn.BatchNorm1d(4)
        self.register_buffer("calls", torch.ones(1))

    def forward(self, x: Tensor) -> Any:
        self.calls += 1
        hidden = self.below(x)[0] * self.calls
        return self.above(self.norm(hidden.transpose(1, 2)).transpose(1, 2))[0]


@pytest.mark.parametrize("training", [False, True])
def test_gradients_go_through_numbers_that_are_put_back(training: bool) -> None:
    torch.manual_seed(0)
    model = Normed().train(training)
    before = {name: buffer.clone() for name, buffer in model.named_buffers()}
    places = {name: buffer.data_ptr() for name, buffer in model.named_buffers()}

    def objective(output: Tensor) -> Tensor:
        return output[1].square().sum()

    found = trace(model, x(), item=1, objective=objective)["grad.below.0.hidden_state"]
    for name, buffer in model.named_buffers():
        assert torch.equal(buffer, before[name])
        assert buffer.data_ptr() == places[name]
    hidden: list[Tensor] = []
    model.below.register_forward_hook(lambda *called: hidden.append(called[2][0]))
    (expected,) = torch.autograd.grad(objective(model(x())), hidden)
    # What reaches the last hidden state comes from above alone.
    np.testing.assert_allclose(found[-1], expected[1, -1], rtol=1e-4, atol=1e-7)
    assert np.abs(found[-1]).max() > 1e-6


def test_a_program_is_told_from_a_model_without_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = type("Program", (nn.Module,), {})()
    monkeypatch.setattr(torch.jit, "ScriptModule", type(compiled))
    with pytest.raises(TraceError, match="Program is a TorchScript program"):
        trace(compiled, x())
    quantised = type("Dynamic", (nn.Module,), {"__module__": "torch.ao.nn.quantized.dynamic.modules.rnn"})()
    with pytest.raises(TraceError, match="are quantised"):
        trace(nn.Sequential(quantised), x())

"""Models of other people: what is found in them, and that they are left as found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lstm_studio import Sequence, TraceError, trace
from tests.engine.test_tracing import values


class Tagger(nn.Module):
    """Two recurrent modules with other layers before, between and after."""

    def __init__(self) -> None:
        super().__init__()
        self.into = nn.Linear(3, 6)
        self.encoder = nn.ModuleDict({"rnn": nn.LSTM(6, 5, 2, batch_first=True, bidirectional=True)})
        self.between = nn.Sequential(nn.Linear(10, 4), nn.Tanh())
        self.top = nn.RNN(4, 3, batch_first=True)
        self.out = nn.Linear(3, 2)
        self.norm = nn.BatchNorm1d(2)
        self.drop = nn.Dropout(0.5)

    def forward(self, x: Tensor) -> Tensor:
        hidden, _ = self.encoder["rnn"](self.into(x))
        hidden += 1  # in place, as people do
        hidden, _ = self.top(self.between(hidden))
        output: Tensor = self.out(hidden)
        if self.training:
            output = self.drop(self.norm(output.transpose(1, 2)).transpose(1, 2))
        return output


class Translator(nn.Module):
    """An encoder whose final states start a decoder."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.LSTM(3, 4)
        self.decoder = nn.LSTM(3, 4)

    def forward(self, x: Tensor) -> Tensor:
        _, states = self.encoder(x)
        output: Tensor = self.decoder(x[:4], states)[0]
        return output


def test_every_recurrent_module_is_found_under_its_path() -> None:
    traced = trace(Tagger().eval(), torch.randn(2, 7, 3), item=1)
    assert [layer.prefix for layer in traced.layers] == [
        "encoder.rnn.0",
        "encoder.rnn.0.reverse",
        "encoder.rnn.1",
        "encoder.rnn.1.reverse",
        "top.0",
    ]
    assert traced["top.0.hidden_state"].shape == (7, 3)
    assert traced["encoder.rnn.1.reverse.forget_gate"].shape == (7, 5)
    assert traced["input"].shape == (7, 6)


@pytest.mark.parametrize("item", [0, 1])
def test_gradients_flow_through_everything_between(item: int) -> None:
    model = Tagger().eval().double()
    x = torch.randn(2, 7, 3, dtype=torch.float64)
    traced = trace(model, x, item=item, dtype="float64", objective=lambda output: output[item].square().sum())
    entered = model.into(x).detach().requires_grad_()
    hidden, _ = model.encoder["rnn"](entered)
    between, _ = model.top(model.between(hidden + 1))
    (gradient,) = torch.autograd.grad(model.out(between)[item].square().sum(), entered)
    np.testing.assert_allclose(traced["grad.input"], gradient[item].numpy(), rtol=1e-9, atol=1e-15)


def test_gradients_flow_through_states_handed_on() -> None:
    model = Translator().double()
    x = torch.randn(6, 2, 3, dtype=torch.float64)
    traced = trace(model, x, item=1, dtype="float64")
    entered = x.clone().requires_grad_()
    _, states = model.encoder(entered)
    _, (last, _) = model.decoder(x[:4], states)
    (gradient,) = torch.autograd.grad(last[0, 1].sum(), entered)
    np.testing.assert_allclose(traced["grad.input"], gradient[:, 1].numpy(), rtol=1e-9, atol=1e-15)
    assert traced["decoder.0.cell_state"].shape == (4, 4)
    assert traced.recovery_error < 1e-14


def test_a_sequence_gets_the_batch_axis_of_the_model() -> None:
    sequence = Sequence(values(7, 3), ("a", "b", "c"))
    model = Tagger().eval()
    traced = trace(model, sequence)
    batched = trace(model, torch.tensor(sequence.values).unsqueeze(0))
    np.testing.assert_array_equal(traced["top.0.hidden_state"], batched["top.0.hidden_state"])


def state_of(model: nn.Module) -> dict[str, Any]:
    return {
        "weights": {name: tensor.clone() for name, tensor in model.state_dict().items()},
        "modes": [module.training for module in model.modules()],
        "requires_grad": [parameter.requires_grad for parameter in model.parameters()],
        "grads": [None if parameter.grad is None else parameter.grad.clone() for parameter in model.parameters()],
        "identities": [id(parameter) for parameter in model.parameters()],
        "hooks": [(len(m._forward_hooks), len(m._forward_pre_hooks)) for m in model.modules()],
        "devices": [parameter.device for parameter in model.parameters()],
        "random": torch.get_rng_state(),
        "grad_mode": torch.is_grad_enabled(),
    }


def assert_same(before: Any, after: Any) -> None:
    assert before.keys() == after.keys()
    for name, value in before.items():
        if name == "weights":
            assert value.keys() == after[name].keys()
            assert all(torch.equal(value[key], after[name][key]) for key in value)
        elif name == "grads":
            assert all((a is None and b is None) or torch.equal(a, b) for a, b in zip(value, after[name], strict=True))
        elif isinstance(value, Tensor):
            assert torch.equal(value, after[name])
        else:
            assert value == after[name], name


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("training", [False, True])
def test_the_model_is_left_as_found(training: bool, dtype: str) -> None:
    torch.manual_seed(0)
    model = Tagger().train(training)
    model.encoder["rnn"].eval()
    model(torch.randn(2, 5, 3)).sum().backward()
    model.into.weight.requires_grad_(False)
    calls: list[int] = []
    model.top.register_forward_hook(lambda *_: calls.append(1))
    before = state_of(model)
    trace(model, torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(1)), dtype=dtype)
    assert_same(before, state_of(model))
    assert calls == [1]


@pytest.mark.parametrize("wrong", [{"objective": "hidden:99:0"}, {"item": 5}])
def test_the_model_is_left_as_found_after_an_error(wrong: dict[str, Any]) -> None:
    model = Tagger()
    before = state_of(model)
    x = torch.zeros(2, 5, 3)
    with pytest.raises(TraceError):
        trace(model, x, **wrong)
    with pytest.raises(RuntimeError):
        trace(model, torch.zeros(2, 5, 4))
    assert_same(before, state_of(model))


def test_inside_no_grad_and_inference_mode_there_are_gradients() -> None:
    module, x = nn.LSTM(2, 3), values(5, 2)
    usual = trace(module, x)["grad.input"]
    with torch.no_grad():
        np.testing.assert_array_equal(trace(module, x)["grad.input"], usual)
    with torch.inference_mode():
        np.testing.assert_array_equal(trace(module, x)["grad.input"], usual)


def test_a_model_without_recurrent_layers_is_refused() -> None:
    with pytest.raises(TraceError, match=r"Linear contains no layer over time.*LSTM"):
        trace(nn.Linear(2, 3), values(5, 2))


def test_a_layer_that_is_never_called_is_noticed() -> None:
    class Idle(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.RNN(2, 2)

        def forward(self, x: Tensor) -> Tensor:
            return x

    with pytest.raises(TraceError, match="None of the recurrent layers of Idle was called"):
        trace(Idle(), values(5, 2))


def test_features_that_do_not_fit_inside_a_model_name_the_layer() -> None:
    model = nn.Sequential(nn.Linear(2, 5), nn.LSTM(4, 3))
    with pytest.raises(TraceError, match=r"1 \(LSTM\) takes 4 features a step, and receives 5"):
        trace(model, values(5, 2))

"""Models of other people: what is found in them, and that they are left as found."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
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


def test_one_model_is_traced_in_several_threads() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.LSTM(3, 4), nn.Identity())
    sequences = [values(60, 2, seed) for seed in range(6)]
    alone = [trace(model, x) for x in sequences]
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(lambda x: trace(model, x), sequences * 5))
    for number, traced in enumerate(together):
        expected = alone[number % 6]
        assert traced.names == expected.names
        np.testing.assert_allclose(traced["1.0.hidden_state"], expected["1.0.hidden_state"], atol=1e-6)
    assert all(parameter.requires_grad for parameter in model.parameters())


@pytest.mark.parametrize("bidirectional", [False, True])
def test_layers_that_share_their_weights_are_told_apart(bidirectional: bool) -> None:
    module = nn.LSTM(4, 4, 1 if bidirectional else 3, bidirectional=bidirectional)
    last = "_l0_reverse" if bidirectional else "_l2"
    for stem in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
        setattr(module, stem + last, module.get_parameter(f"{stem}_l0"))
    x = values(300, 4)
    narrow, wide = trace(module, x), trace(module, x, dtype="float64")
    for name in narrow.names:
        if not name.startswith(("grad.", "norm.")):
            np.testing.assert_allclose(narrow[name], wide[name], atol=1e-5, err_msg=name)


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


class Residual(nn.Module):
    """Adds what a layer returns to what entered it, in place, as people do to save memory."""

    def __init__(self) -> None:
        super().__init__()
        self.into = nn.Linear(3, 4)
        self.layers = nn.ModuleList([nn.LSTM(4, 4, batch_first=True), nn.GRU(4, 4, batch_first=True)])

    def forward(self, x: Tensor) -> Tensor:
        x = self.into(x)
        for layer in self.layers:
            x += layer(x)[0]
        return x


def test_what_entered_a_layer_may_be_changed_in_place_afterwards() -> None:
    model = Residual().double()
    x = torch.randn(2, 7, 3, dtype=torch.float64)
    traced = trace(model, x, item=1, dtype="float64", objective=lambda output: output[1].square().sum())
    lower, upper = model.layers
    past = model.into(x).detach()
    entered = past.clone().requires_grad_()
    between = past + lower(entered)[0]
    output = between + upper(between)[0]
    (gradient,) = torch.autograd.grad(output[1].square().sum(), entered)
    np.testing.assert_allclose(traced["layers.1.0.hidden_state"], upper(between)[0][1].detach(), rtol=1e-9)
    np.testing.assert_allclose(traced["grad.input"], gradient[1].numpy(), rtol=1e-9, atol=1e-15)


class WithMemory(nn.Module):
    """Goes on at each call where the one before stopped, and counts what it saw, in evaluation mode too."""

    seen: Tensor
    mean: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.LSTM(3, 4, batch_first=True)
        self.states: tuple[Tensor, Tensor] | None = None
        self.calls = 0
        self.register_buffer("seen", torch.zeros(()))
        self.register_buffer("mean", torch.zeros(4))

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor
        output, self.states = self.rnn(x, self.states)
        self.calls += 1
        self.seen += x.shape[1]
        self.mean = 0.9 * self.mean + 0.1 * output.detach().mean((0, 1))
        self.last = output
        return output


@pytest.mark.parametrize("training", [False, True])
def test_a_model_that_keeps_its_states_goes_on_from_where_it_was(training: bool) -> None:
    model = WithMemory().train(training)
    x = torch.randn(2, 5, 3)
    with torch.no_grad():
        model(x)
    attributes, buffers = dict(vars(model)), dict(model.named_buffers())
    before = {name: buffer.clone() for name, buffer in buffers.items()}
    traced = trace(model, x)
    np.testing.assert_allclose(traced["rnn.0.hidden_state"], model.rnn(x, model.states)[0][0].detach(), atol=1e-6)
    assert vars(model).keys() == attributes.keys()
    assert all(vars(model)[name] is value for name, value in attributes.items())
    assert all(buffer is buffers[name] for name, buffer in model.named_buffers())
    assert all(torch.equal(buffer, before[name]) for name, buffer in model.named_buffers())


def test_a_model_that_keeps_its_states_with_their_graph_is_traced_in_another_precision() -> None:
    model = WithMemory()
    x = torch.randn(2, 5, 3)
    model(x)
    assert trace(model, x, dtype="float64").recovery_error < 1e-12
    assert model.states is not None
    assert model.states[0].requires_grad


def test_a_model_that_was_made_in_inference_mode_is_traced() -> None:
    with torch.inference_mode():
        model = nn.Sequential(nn.Linear(3, 4), nn.LSTM(4, 5))
        inside = trace(model, torch.ones(6, 3))
    for traced in (inside, trace(model, torch.ones(6, 3))):
        with torch.inference_mode():
            hidden = model[1](model[0](torch.ones(6, 3)))[0]
        np.testing.assert_allclose(traced["1.0.hidden_state"], hidden, atol=1e-6)
        assert traced["norm.grad.1.0.hidden_state"].all()


class DropConnect(nn.Module):
    """Draws the recurrent weights of a layer anew for each call, as the AWD-LSTM does."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.LSTM(3, 4)
        self.raw = nn.Parameter(self.rnn.get_parameter("weight_hh_l0").detach().clone())
        del self.rnn._parameters["weight_hh_l0"]
        vars(self.rnn)["weight_hh_l0"] = self.raw.detach()

    def forward(self, x: Tensor) -> Tensor:
        vars(self.rnn)["weight_hh_l0"] = nn.functional.dropout(self.raw, 0.5, self.training)
        self.rnn._flat_weights = [getattr(self.rnn, name) for name in self.rnn._flat_weights_names]
        output: Tensor = self.rnn(x)[0]
        return output


def test_weights_are_those_of_the_call() -> None:
    model = DropConnect().train()
    traced = trace(model, torch.randn(6, 1, 3))
    assert 0 < traced.recovery_error < 1e-6


def _with_more(self: nn.LSTM, events: Tensor, times: int = 1, hx: Any = None) -> Any:
    """Name the input otherwise, and take more than that."""
    return nn.LSTM.forward(self, events, hx) if times == 1 else (events, times)


def _output_only(self: nn.LSTM, x: Tensor) -> Any:
    return nn.LSTM.forward(self, x)[0]


WithMore = type("WithMore", (nn.LSTM,), {"forward": _with_more})
OutputOnly = type("OutputOnly", (nn.LSTM,), {"forward": _output_only})


class Calling(nn.Module):
    """Calls a layer as it is told."""

    def __init__(self, rnn: nn.Module, **arguments: Any) -> None:
        super().__init__()
        self.rnn, self.arguments = rnn, arguments

    def forward(self, x: Tensor) -> Any:
        return self.rnn(x, **self.arguments) if self.arguments else self.rnn(events=x)


def test_derived_layers_may_take_other_arguments() -> None:
    x = torch.randn(6, 1, 3)
    rnn = WithMore(3, 4)
    states = (torch.ones(1, 1, 4), torch.ones(1, 1, 4))
    for arguments, hx in (({}, None), ({"times": 1}, None), ({"times": 1, "hx": states}, states)):
        traced = trace(Calling(rnn, **arguments), x)
        expected = nn.LSTM.forward(rnn, x, hx)[0][:, 0].detach()
        np.testing.assert_allclose(traced["rnn.0.hidden_state"], expected, atol=1e-6)


@pytest.mark.parametrize("model", [OutputOnly(3, 4), nn.Sequential(OutputOnly(3, 4)), Calling(WithMore(3, 4), times=2)])
def test_derived_layers_that_return_something_else_are_named(model: nn.Module) -> None:
    with pytest.raises(TraceError, match=r"\((OutputOnly|WithMore)\) does not return its output and its final states"):
        trace(model, torch.randn(6, 1, 3))

"""The gradients of a recorded training step, against autograd through the unrolled cell."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence
from torch.utils.checkpoint import checkpoint

import lstm_studio as ls
from tests.runs.step_by_step import StepByStep, one_step

pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")

T, B, F, H = 6, 3, 4, 5
TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-5}
LENGTHS = torch.tensor([4, 6, 2])

FORMS: dict[str, Callable[[], nn.RNNBase]] = {
    "lstm": lambda: nn.LSTM(F, H),
    "stacked": lambda: nn.LSTM(F, H, num_layers=3),
    "bidirectional": lambda: nn.LSTM(F, H, num_layers=2, bidirectional=True, batch_first=True),
    "projected": lambda: nn.LSTM(F, H, num_layers=2, proj_size=3, bidirectional=True),
    "without bias": lambda: nn.LSTM(F, H, bias=False, batch_first=True),
    "gru": lambda: nn.GRU(F, H, num_layers=2, bidirectional=True),
    "rnn": lambda: nn.RNN(F, H, num_layers=2, batch_first=True),
    "relu": lambda: nn.RNN(F, H, nonlinearity="relu", bidirectional=True),
}


def weighted(tensors: list[Tensor]) -> Tensor:
    """Return a loss that reaches every entry, each in its own way."""
    parts = []
    for tensor in tensors:
        weights = torch.linspace(-1, 1, tensor.numel(), dtype=tensor.dtype).reshape(tensor.shape)
        parts.append((weights * tensor).sum() + tensor.pow(2).mean())
    return torch.stack(parts).sum()


def compare(trace: ls.Trace, nodes: dict[str, list[Tensor]], loss: Tensor, dtype: torch.dtype) -> None:
    """Compare every recorded gradient with that of the oracle's nodes."""
    assert nodes
    flat = [node for steps in nodes.values() for node in steps]
    found = iter(torch.autograd.grad(loss, flat, allow_unused=True))
    for name, steps in nodes.items():
        expected = torch.stack(
            [torch.zeros_like(node) if grad is None else grad for node, grad in zip(steps, found, strict=False)]
        ).numpy()
        ours = trace[f"grad.{name}"]
        assert ours.shape == expected.shape
        apart = np.abs(ours - expected).max()
        assert apart <= TOLERANCE[dtype] * np.abs(expected).max(), name
        np.testing.assert_allclose(
            trace[f"norm.grad.{name}"], np.linalg.norm(expected, axis=1), rtol=100 * TOLERANCE[dtype], atol=1e-12
        )


def oracle(
    module: nn.RNNBase, prefix: str, sequences: list[Tensor], initial: list[tuple[Tensor, ...]]
) -> tuple[list[Tensor], list[Tensor], list[dict[str, list[Tensor]]]]:
    """Return the outputs of all sequences, their final states (L·D, B, ·), and the nodes of each."""
    outputs, finals, nodes = [], [], []
    for x, start in zip(sequences, initial, strict=True):
        stack = StepByStep(module, prefix)
        output, final = stack.run(x, start)
        outputs.append(output)
        finals.append([torch.stack(parts) for parts in zip(*final, strict=True)])
        nodes.append(stack.nodes)
    return outputs, [torch.stack(parts, dim=1) for parts in zip(*finals, strict=True)], nodes


def record(folder: Path, model: nn.Module, loss_of: Callable[[], Tensor], sequences: int = 1) -> ls.Trace:
    """Train one step and return what was recorded of its last item."""
    optimiser = torch.optim.SGD(model.parameters(), lr=0.5)
    dtype = str(next(model.parameters()).dtype).removeprefix("torch.")
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    with ls.watch(model, folder, every=1, sequences=sequences, dtype=dtype) as run:
        loss = loss_of()
        torch.autograd.backward(loss)
        optimiser.step()
        run.step(loss=loss)
    # The oracle needs the weights of the step that was recorded.
    with torch.no_grad():
        for name, weight in model.named_parameters():
            assert weight.grad is None or not torch.equal(weight, before[name])
            weight.copy_(before[name])
    run_read = ls.open_run(folder)
    assert run_read.events[-1]["event"] == "end", run_read.events
    return run_read.trace(0, item=sequences - 1)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("form", FORMS)
def test_gradients_are_those_of_the_training_loss(form: str, dtype: torch.dtype, tmp_path: Path) -> None:
    torch.manual_seed(0)
    module = FORMS[form]().to(dtype)
    kind = {nn.LSTM: "lstm", nn.GRU: "gru", nn.RNN: "rnn"}[type(module)]
    directions = 2 if module.bidirectional else 1
    sizes = [module.proj_size or H, H][: 2 if kind == "lstm" else 1]
    states = [torch.randn(module.num_layers * directions, B, size, dtype=dtype) for size in sizes]
    x = torch.randn(T, B, F, dtype=dtype)

    def loss_of() -> Tensor:
        entering = x.transpose(0, 1) if module.batch_first else x
        output, final = module(entering, tuple(states) if kind == "lstm" else states[0])
        output = output.transpose(0, 1) if module.batch_first else output
        return weighted([output, *(final if kind == "lstm" else (final,))])

    trace = record(tmp_path / "run", module, loss_of, sequences=2)
    starts = [tuple(state[:, item] for state in states) for item in range(B)]
    outputs, finals, nodes = oracle(module, kind, [x[:, item] for item in range(B)], starts)
    loss = weighted([torch.stack(outputs, dim=1), *finals])
    np.testing.assert_allclose(loss.item(), loss_of().item(), rtol=TOLERANCE[dtype])
    compare(trace, nodes[1], loss, dtype)
    np.testing.assert_array_equal(trace["input"], x[:, 1].numpy())


@pytest.mark.parametrize("enforce_sorted", [False, True])
@pytest.mark.parametrize("form", ["stacked", "projected", "gru", "relu"])
def test_packed_sequences(form: str, enforce_sorted: bool, tmp_path: Path) -> None:
    torch.manual_seed(1)
    module = FORMS[form]().double()
    kind = {nn.LSTM: "lstm", nn.GRU: "gru", nn.RNN: "rnn"}[type(module)]
    lengths = LENGTHS.sort(descending=True).values if enforce_sorted else LENGTHS
    x = torch.randn(T, B, F, dtype=torch.float64)

    def loss_of() -> Tensor:
        output, final = module(pack_padded_sequence(x, lengths, enforce_sorted=enforce_sorted))
        assert isinstance(output, PackedSequence)
        padded = nn.utils.rnn.pad_packed_sequence(output)[0]
        return weighted([padded, *(final if kind == "lstm" else (final,))])

    trace = record(tmp_path / "run", module, loss_of, sequences=3)
    outputs, finals, nodes = oracle(module, kind, [x[: lengths[item], item] for item in range(B)], [()] * B)
    loss = weighted([nn.utils.rnn.pad_sequence(outputs), *finals])
    compare(trace, nodes[2], loss, torch.float64)


def test_without_a_batch(tmp_path: Path) -> None:
    torch.manual_seed(2)
    module = nn.LSTM(F, H, num_layers=2).double()
    x = torch.randn(T, F, dtype=torch.float64)
    trace = record(tmp_path / "run", module, lambda: weighted([module(x)[0][-1]]))
    stack = StepByStep(module, "lstm")
    output, _ = stack.run(x)
    compare(trace, stack.nodes, weighted([output[-1]]), torch.float64)


class Looped(nn.Module):
    """A loop over a cell, with a read-out of its last state."""

    def __init__(self, cell: nn.RNNCellBase) -> None:
        super().__init__()
        self.cell = cell

    def forward(self, x: Tensor) -> Tensor:
        """Return the last hidden state; ``x`` is (T, B, F)."""
        states: Any = None
        for x_t in x:
            states = self.cell(x_t, states)
        last: Tensor = states[0] if isinstance(self.cell, nn.LSTMCell) else states
        return last


@pytest.mark.parametrize("cell", [nn.LSTMCell, nn.GRUCell, nn.RNNCell])
def test_a_loop_over_a_cell_is_one_sequence(cell: Callable[[int, int], nn.RNNCellBase], tmp_path: Path) -> None:
    torch.manual_seed(3)
    model = Looped(cell(F, H)).double()
    x = torch.randn(T, B, F, dtype=torch.float64)
    trace = record(tmp_path / "run", model, lambda: weighted([model(x)]), sequences=2)
    assert trace.steps == T
    weights = dict(model.cell.named_parameters())
    lasts, nodes = [], {}
    for item in range(B):
        states = (torch.zeros(H, dtype=torch.float64),) * (2 if cell is nn.LSTMCell else 1)
        steps: list[dict[str, Tensor]] = [{} for _ in range(T)]
        for t in range(T):
            states = one_step(model.cell, weights, x[t, item], states, steps[t])
        lasts.append(states[0])
        if item == 1:
            nodes = {f"cell.0.{key}": [step[key] for step in steps] for key in steps[0]}
    compare(trace, nodes, weighted([torch.stack(lasts)]), torch.float64)
    assert trace["cell.0.hidden_state"].shape == (T, H)


class Stepped(nn.Module):
    """A loop over a layer that is given one step at a time, with all that it returns read out."""

    def __init__(self, rnn: nn.RNNBase, keeps: float) -> None:
        super().__init__()
        self.rnn, self.keeps = rnn, keeps

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return what is read out; ``x`` is (T, B, F)."""
        states: Any = None
        found = []
        for step in range(len(x)):
            output, states = self.rnn(x[step : step + 1], states)
            found += [output, *(states if isinstance(states, tuple) else (states,))]
            if self.keeps != 1:
                states = tuple(self.keeps * state for state in states)
        return found


@pytest.mark.parametrize("form", ["lstm", "without bias", "stacked", "projected in one direction", "gru", "relu"])
def test_a_loop_over_a_layer_is_one_sequence(form: str, tmp_path: Path) -> None:
    """Of a layer the output and the last state are two tensors, and the loss may reach both."""
    torch.manual_seed(14)
    made: dict[str, nn.RNNBase] = {
        "lstm": nn.LSTM(F, H),
        "without bias": nn.LSTM(F, H, bias=False),
        "stacked": nn.LSTM(F, H, num_layers=2),
        "projected in one direction": nn.LSTM(F, H, proj_size=3),
        "gru": nn.GRU(F, H),
        "relu": nn.RNN(F, H, nonlinearity="relu"),
    }
    model = Stepped(made[form], 1.0).double()
    x = torch.randn(T, B, F, dtype=torch.float64)
    trace = record(tmp_path / "run", model, lambda: weighted(model(x)), sequences=2)
    found: list[list[Tensor]] = []
    nodes: dict[str, list[Tensor]] = {}
    for item in range(B):
        stack = StepByStep(model.rnn, "rnn")
        stack.run(x[:, item])
        nodes = stack.nodes if item == 1 else nodes
        parts = []
        for step in range(T):
            top = model.rnn.num_layers - 1
            parts.append(stack.nodes[f"rnn.{top}.hidden_state"][step][None])
            states = ("hidden_state", "cell_state")[: 2 if isinstance(model.rnn, nn.LSTM) else 1]
            for state in states:
                layers = range(model.rnn.num_layers)
                parts.append(torch.stack([stack.nodes[f"rnn.{layer}.{state}"][step] for layer in layers]))
        found.append(parts)
    loss = weighted([torch.stack(same, dim=1) for same in zip(*found, strict=True)])
    compare(trace, nodes, loss, torch.float64)


def test_states_that_are_changed_between_the_steps_of_a_loop(tmp_path: Path) -> None:
    torch.manual_seed(15)
    model = Stepped(nn.LSTM(F, H), 0.5).double()
    x = torch.randn(T, B, F, dtype=torch.float64)
    trace = record(tmp_path / "run", model, lambda: weighted(model(x)))
    weights = {name.removesuffix("_l0"): weight for name, weight in model.rnn.named_parameters()}
    found: list[list[Tensor]] = []
    nodes: dict[str, list[Tensor]] = {}
    for item in range(B):
        states = (torch.zeros(H, dtype=torch.float64),) * 2
        steps: list[dict[str, Tensor]] = [{} for _ in range(T)]
        parts = []
        for t in range(T):
            h, c = one_step(nn.LSTMCell(F, H), weights, x[t, item], states, steps[t])
            parts += [h[None], h[None], c[None]]
            states = (0.5 * h, 0.5 * c)
        found.append(parts)
        if item == 0:
            nodes = {f"rnn.0.{key}": [step[key] for step in steps] for key in steps[0]}
    loss = weighted([torch.stack(same, dim=1) for same in zip(*found, strict=True)])
    compare(trace, nodes, loss, torch.float64)


@pytest.mark.parametrize("reentrant", [False, True])
def test_activation_checkpointing_runs_the_layer_twice_and_is_recorded_once(reentrant: bool, tmp_path: Path) -> None:
    torch.manual_seed(4)

    class Checkpointed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.LSTM(F, H)

        def forward(self, x: Tensor) -> Tensor:
            output: Tensor = checkpoint(lambda value: self.rnn(value)[0], x, use_reentrant=reentrant)
            return output

    model = Checkpointed().double()
    x = torch.randn(T, B, F, dtype=torch.float64, requires_grad=True)
    trace = record(tmp_path / "run", model, lambda: weighted([model(x)]))
    outputs, _, nodes = oracle(model.rnn, "rnn", [x[:, item].detach() for item in range(B)], [()] * B)
    compare(trace, nodes[0], weighted([torch.stack(outputs, dim=1)]), torch.float64)
    assert trace.steps == T


def test_a_scaled_loss_gives_the_gradients_of_the_loss(tmp_path: Path) -> None:
    torch.manual_seed(5)
    module = nn.GRU(F, H).double()
    x = torch.randn(T, B, F, dtype=torch.float64)

    class Scaler:
        def get_scale(self) -> float:
            return 1024.0

    with ls.watch(module, tmp_path / "run", every=1, dtype="float64", scaler=Scaler()) as run:
        loss = weighted([module(x)[0]])
        torch.autograd.backward(1024.0 * loss)
        run.step(loss=loss)
    outputs, _, nodes = oracle(module, "gru", [x[:, item] for item in range(B)], [()] * B)
    trace = ls.open_run(tmp_path / "run").trace(0)
    compare(trace, nodes[0], weighted([torch.stack(outputs, dim=1)]), torch.float64)


def test_dropout_between_layers_is_the_one_that_was_drawn(tmp_path: Path) -> None:
    torch.manual_seed(6)
    module = nn.LSTM(F, H, num_layers=2, dropout=0.5).double()
    x = torch.randn(T, B, F, dtype=torch.float64)
    epsilon = 1e-6
    state = torch.get_rng_state()
    loss = 0.0
    trace = record(tmp_path / "run", module, lambda: weighted([module(x)[0]]))
    # Finite differences through the very same random numbers: the input of the first item at step 2.
    for sign in (1, -1):
        torch.set_rng_state(state)
        moved = x.clone()
        moved[2, 0, 1] += sign * epsilon
        with torch.no_grad():
            loss += sign * weighted([module(moved)[0]]).item() / (2 * epsilon)
    assert trace["grad.input"][2, 1] == pytest.approx(loss, rel=1e-6)
    assert trace.provenance.dropout == 0.5


@pytest.mark.parametrize("items", [1, B])
def test_states_below_dropout_are_those_of_the_training_to_the_last_bit(items: int, tmp_path: Path) -> None:
    torch.manual_seed(8)
    module, below = nn.LSTM(F, H, num_layers=2, dropout=0.5), nn.LSTM(F, H)
    below.load_state_dict({name: module.get_parameter(name) for name, _ in below.named_parameters()})
    x = torch.randn(T, items, F)
    outputs: list[Tensor] = []

    def loss() -> Tensor:
        outputs.append(module(x)[0])
        return weighted([outputs[0]])

    trace = record(tmp_path / "run", module, loss)
    for layer, expected in enumerate((below(x)[0], outputs[0])):
        assert trace[f"lstm.{layer}.hidden_state"].tobytes() == expected[:, 0].detach().numpy().tobytes()


def test_the_model_is_left_as_it_was(tmp_path: Path) -> None:
    """Weights, gradients, hooks, buffers and random numbers after watched training equal those after unwatched."""

    def train(watched: bool) -> tuple[list[Tensor], Tensor, nn.Module]:
        torch.manual_seed(7)
        model = nn.Sequential(nn.BatchNorm1d(T), nn.LSTM(F, H, num_layers=2, dropout=0.3, batch_first=True))
        optimiser = torch.optim.Adam(model.parameters())
        run = ls.watch(model, tmp_path / "run", every=2) if watched else None
        for _ in range(5):
            loss = weighted([model(torch.randn(B, T, F))[0]])
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
            if run is not None:
                run.step(loss=loss)
        if run is not None:
            run.close()
        tensors = [*model.state_dict().values(), *(weight.grad for weight in model.parameters())]
        return tensors, torch.get_rng_state(), model

    alone, random_alone, _ = train(watched=False)
    beside, random_beside, model = train(watched=True)
    assert all(torch.equal(one, other) for one, other in zip(alone, beside, strict=True))
    assert torch.equal(random_alone, random_beside)
    for module in model.modules():
        assert not module._forward_hooks
        assert not module._forward_pre_hooks
    assert ls.open_run(tmp_path / "run").steps == [0, 2, 4]


def test_an_evaluation_between_the_updates_is_not_taken_for_the_training(tmp_path: Path) -> None:
    torch.manual_seed(8)
    module = nn.LSTM(F, H)
    x, other = torch.randn(T, B, F), torch.randn(2 * T, B, F)
    with ls.watch(module, tmp_path / "run", every=1) as run:
        with torch.no_grad():
            module(other)
        loss = module(x)[0].sum()
        torch.autograd.backward(loss)
        with torch.no_grad():
            module(other)
        run.step(loss=loss)
    trace = ls.open_run(tmp_path / "run").trace(0)
    assert trace.steps == T
    assert trace.provenance.objective == "loss"


def test_without_a_backward_pass_there_are_states_but_no_gradients(tmp_path: Path) -> None:
    module = nn.LSTM(F, H)
    x = torch.randn(T, B, F)
    with ls.watch(module, tmp_path / "run", every=1, dtype="float32") as run:
        with torch.no_grad():
            output = module(x)[0]
        run.step()
    trace = ls.open_run(tmp_path / "run").trace(0)
    np.testing.assert_array_equal(trace["lstm.0.hidden_state"], output[:, 0].numpy())
    assert not [name for name in trace.names if name.startswith(("grad.", "norm."))]
    assert trace.provenance.objective == ""


@pytest.mark.skipif(
    not torch.ops.mkldnn._is_mkldnn_bf16_supported(),
    reason="PyTorch's fused LSTM takes bfloat16 only where the processor has such numbers",
)
def test_under_autocast_the_error_is_told_and_the_gradients_are_close(tmp_path: Path) -> None:
    torch.manual_seed(9)
    module = nn.LSTM(F, H)
    x = torch.randn(T, B, F)
    with ls.watch(module, tmp_path / "run", every=1, dtype="float32") as run:
        with torch.autocast("cpu", torch.bfloat16):
            output = module(x)[0]
        assert output.dtype == torch.bfloat16
        loss = weighted([output.float()])
        torch.autograd.backward(loss)
        run.step(loss=loss)
    trace = ls.open_run(tmp_path / "run").trace(0)
    assert trace.provenance.dtype == "bfloat16"
    assert 1e-5 < trace.recovery_error < 0.02
    told = ls.open_run(tmp_path / "run").statistics["lstm.recovery_error"][1]
    assert told.tolist() == [trace.recovery_error]
    outputs, _, nodes = oracle(module, "lstm", [x[:, item] for item in range(B)], [()] * B)
    steps = nodes[0]["lstm.0.cell_state"]
    expected = torch.stack(torch.autograd.grad(weighted([torch.stack(outputs, dim=1)]), steps)).numpy()
    assert np.abs(trace["grad.lstm.0.cell_state"] - expected).max() < 0.03 * np.abs(expected).max()


def test_weights_in_half_precision_are_told_once(tmp_path: Path) -> None:
    module = nn.LSTM(F, H).bfloat16()
    run = ls.watch(module, tmp_path / "run", every=1)

    def step() -> None:
        loss = module(torch.randn(T, B, F).bfloat16())[0].float().sum()
        torch.autograd.backward(loss)
        run.step(loss=loss)

    step()
    with pytest.warns(RuntimeWarning, match="weights in bfloat16") as told:
        step()
    step()
    run.close()
    assert len(told) == 1
    read = ls.open_run(tmp_path / "run")
    assert read.steps == []
    assert len(read.scalars["loss"][0]) == 3


def test_what_is_kept_of_a_signal_and_its_statistics(tmp_path: Path) -> None:
    """Halves where they hold it, float32 where they do not; and the numbers that stand for a signal in curves."""
    torch.manual_seed(10)
    module = nn.RNN(F, H, nonlinearity="relu")
    with torch.no_grad():
        next(module.parameters()).mul_(1e6)
    gru = nn.GRU(F, H)
    model = nn.ModuleDict({"relu": module, "gru": gru})
    x = torch.randn(T, B, F)
    with ls.watch(model, tmp_path / "run", every=1) as run:
        loss = module(x)[0].sum() + gru(x)[0].sum()
        torch.autograd.backward(loss)
        run.step(loss=loss)
    read = ls.open_run(tmp_path / "run")
    trace = read.trace(0)
    exact = ls.trace(gru, x)
    assert trace["relu.0.hidden_state"].dtype == np.float32
    assert trace["relu.0.hidden_state"].max() > 1e5
    assert trace["gru.0.update_gate"].dtype == np.float16
    np.testing.assert_allclose(trace["gru.0.update_gate"], exact["gru.0.update_gate"], atol=5e-4)
    gate = exact["gru.0.update_gate"].astype(np.float64)
    expected = {"mean": gate.mean(), "deviation": gate.std()}
    expected |= {"below_0.1": (gate < 0.1).mean(), "above_0.9": (gate > 0.9).mean()}
    for name, value in expected.items():
        assert read.statistics[f"gru.0.update_gate.{name}"][1][0] == pytest.approx(value, rel=1e-5)
    weights = dict(gru.named_parameters())
    assert read.parameters["gru.weight_hh_l0.norm"][1][0] == pytest.approx(weights["weight_hh_l0"].norm().item())
    gradient = weights["weight_hh_l0"].grad
    assert gradient is not None
    assert read.parameters["gru.weight_hh_l0.gradient_norm"][1][0] == pytest.approx(gradient.norm().item())


def test_the_bias_of_the_forget_gate(tmp_path: Path) -> None:
    module = nn.LSTM(F, H, num_layers=2)
    with torch.no_grad():
        for name, weight in module.named_parameters():
            if name == "bias_ih_l1":
                weight.zero_()[H : 2 * H] = 0.75
            if name == "bias_hh_l1":
                weight.zero_()[H : 2 * H] = 0.5
    with ls.watch(module, tmp_path / "run", every=1) as run:
        module(torch.randn(T, B, F))
        run.step()
    assert ls.open_run(tmp_path / "run").parameters["lstm.l1.forget_bias"][1][0] == 1.25


def test_of_several_passes_in_one_step_the_first_is_recorded(tmp_path: Path) -> None:
    torch.manual_seed(11)
    module = nn.LSTM(F, H).double()
    first, second = torch.randn(2, T, B, F, dtype=torch.float64)
    with ls.watch(module, tmp_path / "run", every=1, dtype="float64") as run:
        for x in (first, second):
            torch.autograd.backward(weighted([module(x)[0]]))
        run.step()
    trace = ls.open_run(tmp_path / "run").trace(0)
    outputs, _, nodes = oracle(module, "lstm", [first[:, item] for item in range(B)], [()] * B)
    compare(trace, nodes[0], weighted([torch.stack(outputs, dim=1)]), torch.float64)


def test_two_losses_of_one_pass_add_up(tmp_path: Path) -> None:
    torch.manual_seed(12)
    module = nn.GRU(F, H).double()
    x = torch.randn(T, B, F, dtype=torch.float64)
    with ls.watch(module, tmp_path / "run", every=1, dtype="float64") as run:
        output, last = module(x)
        torch.autograd.backward(weighted([output]), retain_graph=True)
        torch.autograd.backward(last.pow(3).sum())
        run.step()
    trace = ls.open_run(tmp_path / "run").trace(0)
    outputs, finals, nodes = oracle(module, "gru", [x[:, item] for item in range(B)], [()] * B)
    loss = weighted([torch.stack(outputs, dim=1)]) + finals[0].pow(3).sum()
    compare(trace, nodes[0], loss, torch.float64)


def test_an_encoder_and_a_decoder_are_both_recorded(tmp_path: Path) -> None:
    torch.manual_seed(13)
    encoder, decoder = nn.LSTM(F, H), nn.LSTM(2, H)
    model = nn.ModuleDict({"encoder": encoder, "decoder": decoder}).double()
    x, y = torch.randn(T, B, F, dtype=torch.float64), torch.randn(4, B, 2, dtype=torch.float64)

    def loss_of() -> Tensor:
        return weighted([decoder(y, encoder(x)[1])[0]])

    with ls.watch(model, tmp_path / "run", every=1, dtype="float64") as run:
        torch.autograd.backward(loss_of())
        run.step()
    read = ls.open_run(tmp_path / "run")
    assert read.layers == ["encoder", "decoder"]
    trace = read.trace(0)
    _, finals, below = oracle(encoder, "encoder", [x[:, item] for item in range(B)], [()] * B)
    starts = [tuple(state[:, item] for state in finals) for item in range(B)]
    outputs, _, above = oracle(decoder, "decoder", [y[:, item] for item in range(B)], starts)
    loss = weighted([torch.stack(outputs, dim=1)])
    compare(trace, {**below[0], **above[0]}, loss, torch.float64)
    np.testing.assert_array_equal(trace["input"], x[:, 0].numpy())

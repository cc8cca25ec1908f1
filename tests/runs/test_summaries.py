"""The numbers of a sampled step: gradients by lag, and norms of weights, gradients and updates."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import lstm_studio as ls
from lstm_studio.engine.trace import Trace
from lstm_studio.runs import weights
from lstm_studio.runs.blocks import Block
from lstm_studio.runs.summaries import by_lag, constant, spread
from lstm_studio.runs.tail import Tail
from lstm_studio.runs.weights import Weights
from tests.runs.step_by_step import StepByStep

T, B, F, H = 6, 3, 4, 5


def records(folder: Path, schema: str) -> list[dict[str, Any]]:
    """Return all records of one schema as they are on disk."""
    found = []
    for path in sorted((folder / "rank00000").glob("*.mcap")):
        tail = Tail(path)
        while new := tail.read():
            found += [json.loads(record.payload) for record in new if record.line.schema == schema]
    return found


def root_mean_square(rows: list[Any]) -> list[float]:
    lags = range(max(map(len, rows)))
    there = [[row[lag] for row in rows if lag < len(row)] for lag in lags]
    return [math.sqrt(math.fsum(value**2 for value in values) / len(values)) for values in there]


def test_gradients_by_lag_are_over_the_sampled_items_each_from_its_own_end(tmp_path: Path) -> None:
    torch.manual_seed(0)
    module = nn.LSTM(F, H, num_layers=2, bidirectional=True).double()
    x, lengths = torch.randn(T, B, F, dtype=torch.float64), torch.tensor([4, 6, 2])
    with ls.watch(module, tmp_path / "run", every=1, sequences=B, dtype="float64") as run:
        packed = module(pack_padded_sequence(x, lengths, enforce_sorted=False))[0]
        torch.autograd.backward(pad_packed_sequence(packed)[0].pow(2).sum())
        run.step()

    norms: dict[str, list[list[float]]] = {}
    for item in range(B):
        stack = StepByStep(module, "lstm")
        output, _ = stack.run(x[: lengths[item], item])
        for name, nodes in stack.nodes.items():
            if name.endswith("_state"):
                found = torch.autograd.grad(output.pow(2).sum(), nodes, retain_graph=True)
                in_time = [float(gradient.norm()) for gradient in found]
                norms.setdefault(name, []).append(in_time if ".reverse." in name else in_time[::-1])
    (lags,) = (record["lags"] for record in records(tmp_path / "run", "statistics") if "lags" in record)
    assert set(lags) == {"lstm.0", "lstm.0.reverse", "lstm.1", "lstm.1.reverse"}
    for name, rows in norms.items():
        prefix, _, state = name.rpartition(".")
        np.testing.assert_allclose(lags[prefix][state], root_mean_square(rows), rtol=1e-9)


def trace_with(norms: list[float], name: str = "lstm.0.hidden_state") -> Trace:
    """Return a trace of an LSTM with norms of gradients in place of its own, in the order of time."""
    steps = len(norms)
    whole = ls.trace(nn.LSTM(1, 1), torch.zeros(steps, 1, 1))
    states = {key: array for key, array in whole.arrays.items() if not key.startswith("norm.")}
    return Trace({**states, f"norm.grad.{name}": np.array(norms)}, whole.layers)


def test_what_vanishes_is_neither_zero_nor_lost() -> None:
    lags = by_lag([trace_with([0.0, 3e-200, 1.0]), trace_with([0.0, 4e-200, 7.0])])["lstm.0"]
    np.testing.assert_allclose(lags["hidden_state"], [5.0, 5e-200 / math.sqrt(2), 0.0], rtol=1e-15)
    lags = by_lag([trace_with([math.nan, math.inf, 1.0]), trace_with([1.0, 1.0, 7.0])])["lstm.0"]
    assert lags["hidden_state"][0] == pytest.approx(5.0)
    assert math.isinf(lags["hidden_state"][1])
    assert math.isnan(lags["hidden_state"][2])


def test_many_lags_are_thinned_evenly() -> None:
    norms = np.arange(1100.0)[::-1]
    (lags,) = by_lag([trace_with(norms.tolist())]).values()
    assert lags["every"] == 3
    assert lags["hidden_state"] == list(range(0, 1100, 3))
    (lags,) = by_lag([trace_with(norms[-512:].tolist())]).values()
    assert lags == {"hidden_state": list(range(512))}
    assert by_lag([trace_with([1.0, 2.0], "lstm.0.forget_gate")]) == {}


def test_quantiles_of_gates_are_those_of_what_is_kept(tmp_path: Path) -> None:
    """Each is the smallest value that so many percent of all do not exceed, as float16 rounds it."""
    torch.manual_seed(2)
    module = nn.LSTM(F, 2 * H)
    with torch.no_grad():
        module.get_parameter("weight_hh_l0").mul_(4)
    x = 3 * torch.randn(50, B, F)
    with ls.watch(module, tmp_path / "run", every=1) as run:
        torch.autograd.backward(module(x)[0].sum())
        run.step()
    read = ls.open_run(tmp_path / "run")
    trace = read.trace(0)
    for gate in ("input_gate", "forget_gate", "output_gate"):
        kept = trace[f"lstm.0.{gate}"].astype(np.float64)
        for percent in (5, 25, 50, 75, 95):
            expected = np.quantile(kept, percent / 100, method="inverted_cdf")
            assert read.statistics[f"lstm.0.{gate}.quantile_{percent}"][1].tolist() == [expected]
        assert read.statistics[f"lstm.0.{gate}.deviation"][1][0] == pytest.approx(kept.std(), rel=1e-3)
    assert not [name for name in read.statistics if "state.quantile" in name or "candidate.quantile" in name]


@pytest.mark.parametrize("odd", [math.nan, math.inf, -1.0])
def test_quantiles_of_what_is_no_gate_from_0_to_1(odd: float) -> None:
    signal = next(signal for signal in trace_with([1.0]).layers[0].signals if signal.levels == (0.0, 1.0))
    whole = np.linspace(0, 1, 40, dtype=np.float32).reshape(1, 8, 5)
    whole[0, 3, 2] = odd
    with np.errstate(invalid="ignore"):
        values = spread([Block(("gate",), (signal,), whole, whole.astype(np.float16))])
    expected = np.quantile(whole.astype(np.float16), 0.25, method="inverted_cdf")
    np.testing.assert_equal(values["gate.quantile_25"], float(expected))


def test_units_are_dead_where_they_do_not_change_over_all_sampled_items(tmp_path: Path) -> None:
    module = nn.RNN(1, 10, nonlinearity="relu", bias=False)
    entering = torch.zeros(10, 1)
    # Three are never above zero; two are, with the second item only; the others change with both.
    entering[5:] = torch.linspace(1, 2, 5)[:, None]
    entering[3:5] = -1.0
    with torch.no_grad():
        module.get_parameter("weight_ih_l0").copy_(entering)
        module.get_parameter("weight_hh_l0").zero_()
    x = torch.tensor([[0.5, -1.0], [0.7, 2.0]])[..., None]
    for sequences, share in ((1, 0.5), (2, 0.3)):
        with ls.watch(module, tmp_path / f"{sequences}", every=1, sequences=sequences) as run:
            module(x)
            run.step()
        statistics = ls.open_run(tmp_path / f"{sequences}").statistics
        assert statistics["rnn.0.hidden_state.constant"][1].tolist() == [share]


def test_a_dead_unit_may_move_by_a_thousandth_of_the_largest_state() -> None:
    whole = trace_with([1.0, 1.0])
    states = np.array([[50.0, 0.0, 20.0, 20.0], [50.0, -49.0, 20.04, 20.06]])
    (layer,) = whole.layers
    one = Trace({**whole.arrays, "lstm.0.hidden_state": states}, (layer,))
    assert constant([one]) == {"lstm.0.hidden_state.constant": 0.5}
    # One step cannot change; two items of one step can.
    first, second = (Trace({**whole.arrays, "lstm.0.hidden_state": states[row : row + 1]}, (layer,)) for row in (0, 1))
    assert constant([first]) == {}
    assert constant([first, second]) == {"lstm.0.hidden_state.constant": 0.5}
    nothing = Trace({**whole.arrays, "lstm.0.hidden_state": np.zeros((5, 3))}, (layer,))
    assert constant([nothing]) == {"lstm.0.hidden_state.constant": 1.0}


class Tagger(nn.Module):
    """A recurrent layer between others."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(20, F, sparse=True)
        self.rnn = nn.GRU(F, H)
        self.out = nn.Linear(H, 2)
        self.unused = nn.Parameter(torch.ones(3))

    def forward(self, tokens: Tensor) -> Tensor:
        """Return (T, B, 2) scores for (T, B) tokens."""
        scores: Tensor = self.out(self.rnn(self.embed(tokens))[0])
        return scores


def norms_of(model: nn.Module, before: dict[str, Tensor]) -> dict[str, float]:
    """Return what is to be recorded of a model, computed in float64."""
    found: dict[str, float] = {}
    every: dict[str, list[float]] = {"norm": [], "gradient_norm": [], "update_norm": []}
    for name, weight in model.named_parameters():
        three = {"norm": weight.detach(), "update_norm": weight.detach().double() - before[name]}
        if weight.grad is not None:
            three["gradient_norm"] = weight.grad.to_dense()
        for kind, tensor in three.items():
            every[kind].append(float(tensor.double().norm()))
            if name.startswith("rnn."):
                found[f"{name}.{kind}"] = every[kind][-1]
    return {**found, **{f"all.{kind}": math.hypot(*norms) for kind, norms in every.items()}}


@pytest.mark.parametrize("batches", [1, 3])
def test_norms_of_weights_gradients_and_updates(batches: int, tmp_path: Path) -> None:
    """With gradients added up over some batches, clipped, and an optimiser with a memory."""
    torch.manual_seed(1)
    model = Tagger()
    dense = [weight for name, weight in model.named_parameters() if name != "embed.weight"]
    optimisers = [torch.optim.AdamW(dense, lr=0.05), torch.optim.SparseAdam(model.embed.parameters())]
    expected = {}
    with ls.watch(model, tmp_path / "run", every=2) as run:
        for step in range(5):
            before = {name: weight.detach().double() for name, weight in model.named_parameters()}
            for _ in range(batches):
                torch.autograd.backward(model(torch.randint(20, (T, B))).pow(2).mean() / batches)
            nn.utils.clip_grad_norm_(dense, 0.1)
            for optimiser in optimisers:
                optimiser.step()
            if step % 2 == 0:
                expected[step] = norms_of(model, before)
            run.step()
            for optimiser in optimisers:
                optimiser.zero_grad()
    written = records(tmp_path / "run", "parameters")
    assert [record["step"] for record in written] == [0, 2, 4]
    for record in written:
        assert record["values"] == pytest.approx(expected[record["step"]], rel=1e-5)
    assert expected[4]["rnn.weight_hh_l0.update_norm"] > 0.1
    assert ls.open_run(tmp_path / "run").parameters["all.update_norm"][1][-1] == pytest.approx(
        expected[4]["all.update_norm"], rel=1e-5
    )


def test_gradients_that_float32_cannot_square_have_a_norm() -> None:
    module = nn.LSTM(F, H)
    for weight in module.parameters():
        weight.grad = torch.full_like(weight, 1e-30)
    (bias, *_) = (weight for name, weight in module.named_parameters() if name == "bias_ih_l0")
    bias.grad = torch.full_like(bias, 1e30)
    norms = Weights(module, [{"path": "lstm", "module": ""}]).norms()
    assert norms["lstm.weight_hh_l0.gradient_norm"] == pytest.approx(1e-30 * math.sqrt(4 * H * H), rel=1e-6)
    assert norms["lstm.bias_ih_l0.gradient_norm"] == pytest.approx(1e30 * math.sqrt(4 * H), rel=1e-6)


def test_of_a_large_model_only_the_recurrent_weights_are_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "_MOST_COPIED", 1000)
    model = Tagger()
    followed = Weights(model, [{"path": "rnn", "module": "rnn"}])
    followed.remember()
    with torch.no_grad():
        model.get_parameter("rnn.bias_hh_l0").add_(1)
        model.out.bias.add_(1)
    norms = followed.norms()
    assert norms["rnn.bias_hh_l0.update_norm"] == pytest.approx(math.sqrt(3 * H))
    assert norms["rnn.bias_ih_l0.update_norm"] == 0
    assert "all.update_norm" not in norms
    assert "all.norm" in norms
    followed.forget()
    assert not [name for name in followed.norms() if name.endswith("update_norm")]


def test_the_update_is_that_since_the_step_began_not_since_the_last_one_sampled(tmp_path: Path) -> None:
    """Weights that are loaded between two steps are no update."""
    module = nn.LSTM(F, H)
    run = ls.watch(module, tmp_path / "run", every=1)
    with torch.no_grad():
        for weight in module.parameters():
            weight.fill_(5.0)
    torch.autograd.backward(module(torch.randn(T, B, F))[0].sum())
    with torch.no_grad():
        for weight in module.parameters():
            weight.add_(0.5)
    run.step()
    run.close()
    (record,) = records(tmp_path / "run", "parameters")
    assert record["values"]["lstm.weight_hh_l0.update_norm"] == pytest.approx(0.5 * math.sqrt(4 * H * H))

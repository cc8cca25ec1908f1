"""The examples of the documents, run as they are printed."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import lstm_studio as ls
from tests.runs.step_by_step import StepByStep, one_step

CALLBACKS = ("lightning_callback", "hugging_face_callback")
"""In the guide before the last three examples, which are of exports; ``test_callbacks`` runs them."""
DOCS = Path(__file__).parents[2] / "docs"


def examples(document: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (DOCS / document).read_text("utf-8"), re.DOTALL)


def run_example(code: str, names: dict[str, Any]) -> None:
    exec(compile(code, "example", "exec"), names)  # noqa: S102 - our own document


@pytest.fixture
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.chdir(tmp_path)
    return {"torch": torch, "nn": nn, "ls": ls}


def test_record_read_and_read_without_us(names: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    record, read, words, loop, *rest = examples("guide/runs.md")
    callbacks, exports = rest[: len(CALLBACKS)], rest[len(CALLBACKS) :]
    assert [f"ls.{name}(" in code for name, code in zip(CALLBACKS, callbacks, strict=True)] == [True, True]
    assert len(exports) == 3
    run_example(loop, names)
    model = names["Loop"]()
    names |= {"model": model, "criterion": nn.functional.mse_loss}
    names |= {"optimiser": torch.optim.Adam(model.parameters())}
    names["loader"] = [(torch.randn(2, 5, 16), torch.randn(2, 1)) for _ in range(3)]
    run_example(record, names)
    run_example(read.replace("rnn.l0.", "cell.").replace("rnn", "cell"), names)
    assert names["r"].status == "finished"
    assert names["t"]["cell.0.forget_gate"].shape == (5, 128)
    capsys.readouterr()
    run_example(examples("run-format.md")[0], names)
    told = capsys.readouterr().out
    assert "'cell.0.forget_gate': (5, 128)" in told
    assert "'loss'" in told

    names |= {"vocabulary": range(50), "batches": [torch.randint(0, 50, (4, 8)) for _ in range(3)]}
    model_code, train_code = words.split("model, states = ")
    run_example(model_code, names)
    names["optimiser"] = torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=0.1)
    run_example("model, states = " + train_code, names)
    run = ls.open_run("runs/words")
    assert run.trace(0)["rnn.1.hidden_state"].shape == (7, 200)
    assert set(run.scalars) == {"loss", "perplexity"}


def exported(names: dict[str, Any]) -> None:
    """Record a training, and export it as the guide does."""
    model = nn.ModuleDict({"rnn": nn.LSTM(3, 4)})
    with ls.watch(model, "runs/mine", every=2) as recorder:
        for _ in range(3):
            loss = model["rnn"](torch.randn(5, 2, 3))[0].pow(2).mean()
            torch.autograd.backward(loss)
            recorder.step(loss=loss)
    run_example(examples("guide/runs.md")[-3], names)


def test_an_export_is_read_with_numpy(names: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    exported(names)
    assert "gradients by lag" in capsys.readouterr().out
    run = ls.open_run("runs/mine")
    run_example(examples("guide/runs.md")[-1], names)
    np.testing.assert_array_equal(names["loss"], run.scalars["loss"][1])
    np.testing.assert_array_equal(names["gates"], run.trace(0)["rnn.0.forget_gate"])
    assert names["every"] == 2


def test_an_export_is_read_with_pandas(names: dict[str, Any]) -> None:
    exported(names)
    run = ls.open_run("runs/mine")
    run_example(examples("guide/runs.md")[-2], names)
    np.testing.assert_array_equal(names["loss"].to_numpy(), run.scalars["loss"][1])
    np.testing.assert_array_equal(names["gates"].to_numpy(), run.trace(0)["rnn.0.forget_gate"])
    np.testing.assert_array_equal(names["lags"].to_numpy(), run.lags["rnn.0.hidden_state"][1])


def test_the_language_model_is_recorded_with_its_gradients(names: dict[str, Any]) -> None:
    """In the second batch too, where the states of the first go on."""
    torch.manual_seed(0)
    words = examples("guide/runs.md")[2].replace("dropout=0.2", "dropout=0.0").replace("every=100", "every=2")
    names |= {"vocabulary": range(50), "batches": [torch.randint(0, 50, (4, 8)) for _ in range(3)]}
    # Nothing moves the weights: then those of every step are there to compare with.
    names["optimiser"] = torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=0.1)
    run_example(words, names)
    model, run = names["model"].double(), ls.open_run("runs/words")
    assert run.steps == [0, 2]
    states: tuple[Tensor, ...] | None = None
    for step, tokens in enumerate(names["batches"]):
        if step in run.steps:
            stack = StepByStep(model.rnn, "rnn")
            start = () if states is None else tuple(state[:, 0] for state in states)
            output, _ = stack.run(model.embed(tokens[0, :-1]), start)
            # The item's part of the mean over all words of the batch.
            loss = nn.functional.cross_entropy(model.out(output), tokens[0, 1:], reduction="sum") / 28
            compare(run.trace(step), stack.nodes, loss)
        with torch.no_grad():
            states = model(tokens[:, :-1], states)[1]


def test_the_loop_over_a_cell_is_recorded_with_its_gradients(names: dict[str, Any]) -> None:
    torch.manual_seed(1)
    record, _, _, loop, *_ = examples("guide/runs.md")
    run_example(loop, names)
    model = names["Loop"]()
    before = copy.deepcopy(model).double()
    x, target = torch.randn(2, 5, 16), torch.randn(2, 1)
    names |= {"model": model, "criterion": nn.functional.mse_loss, "loader": [(x, target)] * 2}
    names["optimiser"] = torch.optim.Adam(model.parameters())
    run_example(record, names)
    weights = dict(before.cell.named_parameters())
    states: tuple[Tensor, ...] = (torch.zeros(128, dtype=torch.float64),) * 2
    steps: list[dict[str, Tensor]] = [{} for _ in range(5)]
    for x_t, kept in zip(x[0].double(), steps, strict=True):
        states = one_step(before.cell, weights, x_t, states, kept)
    nodes = {f"cell.0.{name}": [kept[name] for kept in steps] for name in steps[0]}
    loss = (before.out(states[0]) - target[0].double()).pow(2).sum() / 2
    compare(ls.open_run("runs/mine").trace(0), nodes, loss)


def compare(trace: ls.Trace, nodes: dict[str, list[Tensor]], loss: Tensor) -> None:
    """Compare recorded gradients with those of autograd through the unrolled cell, in float64."""
    flat = [node for steps in nodes.values() for node in steps]
    found = iter(torch.autograd.grad(loss, flat, allow_unused=True))
    for name, steps in nodes.items():
        some = [torch.zeros_like(node) if one is None else one for node, one in zip(steps, found, strict=False)]
        expected = torch.stack(some).numpy()
        assert np.abs(expected).max() > 0
        assert np.abs(trace[f"grad.{name}"] - expected).max() <= 1e-5 * np.abs(expected).max(), name

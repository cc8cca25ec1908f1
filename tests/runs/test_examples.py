"""The examples of the documents, run as they are printed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import lstm_studio as ls

CALLBACKS = ("lightning_callback", "hugging_face_callback")
"""In the last examples of the guide; ``test_callbacks`` runs them."""
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
    record, read, words, loop, *callbacks = examples("guide/runs.md")
    assert [f"ls.{name}(" in code for name, code in zip(CALLBACKS, callbacks, strict=True)] == [True, True]
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

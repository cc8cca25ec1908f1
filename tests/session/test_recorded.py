"""A recorded step of a training is shown as it was recorded, and nothing is computed from it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import lstm_studio as ls
from lstm_studio.errors import StudioError
from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.progress import ignore_progress
from lstm_studio.session.branches import can_hold
from lstm_studio.session.compute import Answered, Computer
from lstm_studio.session.recorded import OpenStep
from lstm_studio.session.session import Session
from lstm_studio.session.session_file import contents_of, read_session, write_session
from lstm_studio.session.state import Recorded, Result
from lstm_studio.session.unit_weights import UnitWeights


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    module = nn.LSTM(3, 5, num_layers=2)
    with ls.watch(module, tmp_path / "run", every=2, sequences=2) as run:
        for _ in range(5):
            module(torch.randn(7, 4, 3))[0].sum().backward()
            run.step(loss=1.0)
    return tmp_path / "run"


def opened(recorded: Recorded) -> Result:
    answer = Computer().answer(OpenStep(recorded), ignore_progress)
    assert isinstance(answer, Answered)
    assert isinstance(answer.content, Result)
    return answer.content


def test_a_step_is_shown_as_it_was_recorded(folder: Path) -> None:
    result = opened(Recorded(str(folder), 4, 1))
    known = ls.open_run(folder).trace(4, 1)
    assert result.traces[0].arrays.keys() == known.arrays.keys()
    for name, array in known.arrays.items():
        assert np.array_equal(result.traces[0][name], array), name
    assert np.array_equal(result.sequence.values, known["input"].astype(np.float32))
    info = result.infos[0]
    assert (info.kind, info.input_size, info.hidden_size, info.layers, info.bidirectional) == ("lstm", 3, 5, 2, False)
    assert result.sequences.title == "run, step 4"


@pytest.mark.parametrize(("step", "item", "words"), [(3, 0, "no trace of step 3"), (4, 2, "no item 2")])
def test_what_was_not_sampled_is_refused(folder: Path, step: int, item: int, words: str) -> None:
    with pytest.raises(StudioError, match=words):
        opened(Recorded(str(folder), step, item))


def test_nothing_is_computed_anew_but_what_is_opened_instead(folder: Path) -> None:
    result = opened(Recorded(str(folder), 0))
    session = Session(result)
    errors: list[StudioError] = []
    session.failed.connect(errors.append)
    session.change("Change the seed", network=replace(result.setup.network, seed=3))
    session.change("Show a companion", companion=NetworkSpec("rnn"))
    session.change("Change the precision", dtype="float64")
    assert session.setup is result.setup
    assert len(errors) == 3
    assert "its network is not" in str(errors[0])
    assert not can_hold(result, 0)
    with pytest.raises(StudioError, match="its network is not"):
        Computer().answer(UnitWeights(result, 0, "lstm.0", 0), ignore_progress)
    session.open_checkpoint("net.pt")
    assert session.setup.recorded is None
    assert session.setup.data is result.setup.data
    session.undo()
    assert session.setup.recorded == Recorded(str(folder), 0)


def test_it_is_read_again_where_undo_brings_it_back(folder: Path) -> None:
    result = opened(Recorded(str(folder), 2))
    again = Computer().compute(result.setup, ignore_progress)
    assert again.setup is result.setup, "else nobody would take it"
    assert np.array_equal(again.traces[0]["lstm.1.hidden_state"], result.traces[0]["lstm.1.hidden_state"])


def test_a_session_keeps_the_traces(folder: Path, tmp_path: Path) -> None:
    result = opened(Recorded(str(folder), 2))
    path = tmp_path / "step.lstmstudio"
    write_session(contents_of(Session(result)), path)
    for file in folder.glob("rank*/*.mcap"):
        file.unlink()
    contents = read_session(path, tmp_path / "networks")
    assert contents.problems == ()
    assert contents.setup.recorded == Recorded(str(folder), 2)
    assert contents.result is not None
    for name, array in result.traces[0].arrays.items():
        assert np.array_equal(contents.result.traces[0][name], array), name

"""Which steps are sampled, what a budget does about it, and when a segment ends."""

from __future__ import annotations

import math
import re
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

import lstm_studio as ls
from lstm_studio.runs import writer
from lstm_studio.runs.format import Line
from lstm_studio.runs.pace import Pace
from lstm_studio.runs.tail import Tail
from lstm_studio.runs.writer import Writer


def sampled(pace: Pace, steps: int, step: float = 0.02, own: float = 0.004) -> list[int]:
    found = []
    for number in range(steps):
        if pace.is_sampled():
            found.append(number)
        pace.took(step, own if pace.is_sampled() else 0.0)
    return found


@pytest.mark.parametrize(("every", "before", "expected"), [(4, 0, [0, 4, 8]), (4, 5, [3, 7]), (4, 8, [0, 4, 8])])
def test_a_run_that_goes_on_keeps_its_pace(every: int, before: int, expected: list[int]) -> None:
    assert sampled(Pace(every, before, None), 9) == expected


def test_a_budget_makes_samples_fewer_until_they_fit() -> None:
    # 4 of 20 ms are a fifth of a step: for 1 % of the time, one of 20.
    pace = Pace(1, 0, 0.01)
    assert sampled(pace, 60) == [0, 1, 2, 22, 42]
    assert pace.every == 20
    assert sampled(Pace(30, 0, 0.01), 100) == [0, 30, 60, 90]
    # One step in three takes longer, as with an evaluation; the usual one counts, and not the first cost of all.
    pace = Pace(2, 0, 0.1)
    for number in range(40):
        pace.took(5.0 if number % 3 == 1 else 0.02, 1.0 if number == 0 else 0.004)
    assert pace.every == 2


def test_a_budget_is_kept_and_told(tmp_path: Path) -> None:
    module = nn.LSTM(3, 4)
    with ls.watch(module, tmp_path / "run", every=1, budget=0.001) as run:
        for _ in range(80):
            torch.autograd.backward(module(torch.randn(5, 2, 3))[0].sum())
            time.sleep(0.005)
            run.step()
    read = ls.open_run(tmp_path / "run")
    told = [event for event in read.events if event["event"] == "every"]
    assert told
    assert told[-1]["every"] > 1
    assert "ms beside a step of" in told[0]["reason"]
    for event in told:
        cost, step = map(float, re.findall(r"(\S+) ms", event["reason"]))
        assert event["every"] == pytest.approx(cost / (0.001 * step), rel=0.02, abs=1)
    assert read.info["budget"] == 0.001
    assert read.info["every"] == 1
    assert len(read.steps) < 40
    fewer = {event["step"] - 1: event["every"] for event in told}
    expected, now, every = [], 0, 1
    while now < 80:
        expected.append(now)
        every = fewer.get(now, every)
        now += every
    assert read.steps == expected
    assert len(read.parameters["all.norm"][0]) == len(read.steps)


@pytest.mark.parametrize(("arguments", "words"), [({"budget": 0}, "budget is 0"), ({"segment": "tape"}, "'tape'")])
def test_what_makes_no_sense_is_refused(arguments: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(ls.RunError, match=words):
        ls.watch(nn.LSTM(3, 4), tmp_path / "run", **arguments)


def segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.mcap"))


def test_segments_for_object_stores_end_after_ten_seconds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    clock = SimpleNamespace(monotonic=lambda: now[0], time=time.time, time_ns=time.time_ns)
    monkeypatch.setattr(writer, "time", clock)
    open_one = Writer(tmp_path / "store", 8 * 2**20, 10.0)
    for count in range(1, 30):
        open_one.put(Line("layer/lstm", "trace"), bytes(100))
        deadline = time.monotonic() + 10
        while open_one.written < count + 1:
            assert time.monotonic() < deadline
            time.sleep(0.001)
        now[0] += 1
    open_one.close()
    found = segments(tmp_path / "store")
    assert len(found) == 3
    # What ended in order ends with the magic bytes of the container, and may be copied away.
    assert all(path.read_bytes().endswith(b"\x89MCAP0\r\n") for path in found)
    traces = 0
    for path in found:
        tail = Tail(path)
        while records := tail.read():
            traces += sum(record.line.schema == "trace" for record in records)
    assert traces == 29


def test_segments_for_object_stores_end_after_eight_megabytes(tmp_path: Path) -> None:
    module = nn.LSTM(3, 4)
    with ls.watch(module, tmp_path / "run", segment="store") as run:
        assert run._writer is not None
        for _ in range(20):
            run._writer.put(Line("layer/lstm", "trace"), bytes(2**20))
    sizes = [path.stat().st_size for path in segments(tmp_path / "run" / "rank00000")]
    assert len(sizes) == 3
    assert max(sizes) < 9.1 * 2**20
    plain = Writer(tmp_path / "disk")
    for _ in range(20):
        plain.put(Line("layer/lstm", "trace"), bytes(2**20))
    plain.close()
    assert len(segments(tmp_path / "disk")) == 1
    assert math.isinf(plain._segment_seconds)


def test_numbers_beside_those_of_a_step(tmp_path: Path) -> None:
    with ls.watch(nn.LSTM(3, 4), tmp_path / "run", every=100) as run:
        for step in range(3):
            run.step(loss=step)
        run.log(score=torch.tensor(0.5), loss=9)
        run.log(step=7, score=0.75)
        run.step(loss=3)
    curves = ls.open_run(tmp_path / "run").scalars
    assert [list(part) for part in curves["score"]] == [[2, 7], [0.5, 0.75]]
    assert [list(part) for part in curves["loss"]] == [[0, 1, 2, 3], [0.0, 1.0, 9.0, 3.0]]


def test_rows_that_wait_together_are_one_record(tmp_path: Path) -> None:
    """A training of many short steps does not write as many records."""
    run = Writer(tmp_path / "run")
    for step in range(5000):
        run.put_row(step, 0.0, {"loss": 1.0 * step, "more": math.nan})
        if step % 500 == 0:
            time.sleep(0.03)
    run.close()
    tail, rows, records = Tail(segments(tmp_path / "run")[0]), 0, 0
    while found := tail.read():
        for record in found:
            if record.line.schema == "scalars":
                records += 1
                rows += record.payload.count(b'"nan"')
    assert rows + run._dropped == 5000
    assert records < 100

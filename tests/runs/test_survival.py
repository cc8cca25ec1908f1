"""What a run is worth after a kill, on a bad disk, in bad company, and under a bad clock."""

from __future__ import annotations

import itertools
import math
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import lstm_studio as ls
from lstm_studio.runs import recorder, writer
from lstm_studio.runs.format import Line
from lstm_studio.runs.sampled import records_of
from lstm_studio.runs.writer import Writer

TRAINING = """
import sys, torch, lstm_studio as ls
model = torch.nn.LSTM(3, 8)
optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
with ls.watch(model, sys.argv[1], every=3) as run:
    for step in range(100_000):
        loss = model(torch.randn(20, 2, 3))[0].pow(2).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        run.step(loss=loss, number=step)
        print(run.written, flush=True)
"""


def train(run: Any, model: nn.Module, steps: int = 4) -> None:
    """Train for some steps; whatever happens to the recording, the weights change."""
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(steps):
        before = [weight.detach().clone() for weight in model.parameters()]
        loss = model(torch.randn(5, 2, 3))[0].pow(2).mean()
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        run.step(loss=loss)
        assert any(not torch.equal(old, new) for old, new in zip(before, model.parameters(), strict=True))


def wait_for(run: recorder.Recorder, records: int) -> None:
    deadline = time.monotonic() + 10
    while run.written < records:
        assert time.monotonic() < deadline, "the writer is stuck"
        time.sleep(0.01)


def train_until_it_stops(run: recorder.Recorder, model: nn.Module) -> None:
    deadline = time.monotonic() + 10
    while not run._closed:
        assert time.monotonic() < deadline
        train(run, model, 1)
        time.sleep(0.01)


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX")
@pytest.mark.parametrize("seed", range(3))
def test_a_kill_loses_no_record_that_was_written(seed: int, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    child = subprocess.Popen([sys.executable, "-c", TRAINING, str(folder)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    wanted = random.Random(seed).randint(10, 250)  # noqa: S311 - no secret
    told = 0
    for line in itertools.islice(child.stdout, 2000):
        told = int(line)
        if told >= wanted:
            break
    growing = ls.open_run(folder)
    assert growing.status == "running"
    child.send_signal(signal.SIGKILL)
    rest = child.stdout.read().split()
    child.wait()
    child.stdout.close()
    # The last line may have been cut in the middle; the one before is whole.
    told = max([told, *map(int, rest[:-1])])
    run = ls.open_run(folder)
    assert run.status == "died"
    assert not run.problems
    read = sum(len(list(tail_records(path))) for path in (folder / "rank00000").glob("*.mcap"))
    assert read >= told
    steps, values = run.scalars["number"]
    np.testing.assert_array_equal(steps, np.arange(len(steps)))
    np.testing.assert_array_equal(values, steps)
    # A trace is written before the numbers of its step.
    assert run.steps in (list(range(0, len(steps), 3)), list(range(0, len(steps) + 1, 3)))
    assert run.trace(run.steps[-1])["lstm.0.forget_gate"].shape == (20, 8)


def tail_records(path: Path) -> Any:
    from lstm_studio.runs.tail import Tail

    tail = Tail(path)
    while records := tail.read():
        yield from records


@pytest.mark.skipif(os.name != "posix", reason="file systems of POSIX")
@pytest.mark.parametrize("trouble", ["full", "removed", "raising"])
def test_the_training_goes_on_when_the_disk_does_not(
    trouble: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "HEARTBEAT_SECONDS", 0.05)
    model, folder = nn.LSTM(3, 4), tmp_path / "run"
    run = ls.watch(model, folder, every=1)
    train(run, model, 2)
    wait_for(run, 8)
    if trouble == "removed":
        shutil.rmtree(folder)
    else:
        error = OSError(28, "No space left on device") if trouble == "full" else RuntimeError("odd")

        def fails(*_: Any) -> None:
            raise error

        monkeypatch.setattr(Writer, "_write_pieces", fails)
    with pytest.warns(RuntimeWarning, match="the training goes on") as told:
        train_until_it_stops(run, model)
    train(run, model)
    run.close()
    assert len(told) == 1
    assert {"full": "No space left", "removed": "No such file", "raising": "odd"}[trouble] in str(told[0].message)
    assert not model._forward_hooks


FULL = """
import resource, sys, warnings, torch, lstm_studio as ls
resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
model = torch.nn.LSTM(3, 8)
with warnings.catch_warnings(record=True) as told, ls.watch(model, sys.argv[1], every=1) as run:
    warnings.simplefilter("always")
    for step in range(60):
        loss = model(torch.randn(20, 2, 3))[0].pow(2).mean()
        loss.backward()
        run.step(loss=loss)
print(step, len(told), told[0].message)
"""


@pytest.mark.skipif(os.name != "posix", reason="limits of POSIX")
def test_a_disk_that_takes_a_part_of_a_record(tmp_path: Path) -> None:
    """The system itself stops in the middle of a record: what was written before is read, and the rest of it is not."""
    folder = tmp_path / "run"
    done = subprocess.run([sys.executable, "-c", FULL, str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("59 1 LSTM Studio stopped recording"), done.stdout
    assert "File too large" in done.stdout
    run = ls.open_run(folder)
    assert (folder / "rank00000" / "000001.mcap").stat().st_size == 30_000
    assert run.status == "died"
    assert run.steps == list(range(len(run.steps)))
    assert len(run.steps) > 0
    assert not run.problems


READ_ONLY = """
import math, os, sys, time, warnings, torch, lstm_studio as ls
from pathlib import Path
from lstm_studio.runs import recorder
folder, when = Path(sys.argv[1]), sys.argv[2]
recorder._SEGMENTS["disk"] = 20_000, math.inf
if os.geteuid() == 0:
    os.seteuid(65534)
(folder / "runs").mkdir()
if when == "before":
    (folder / "runs").chmod(0o555)
model = torch.nn.LSTM(3, 8)
with warnings.catch_warnings(record=True) as told, ls.watch(model, folder / "runs" / "mine", every=1) as run:
    warnings.simplefilter("always")
    for step in range(40):
        model(torch.randn(20, 2, 3))[0].pow(2).mean().backward()
        run.step(loss=step)
        if when == "later" and step == 2:
            # Records are written by a thread of their own: what is to be there afterwards has to be written before.
            while ls.open_run(run.folder).steps != [0, 1, 2]:
                time.sleep(0.01)
            (folder / "runs" / "mine" / "rank00000").chmod(0o555)
        while when == "later" and step == 20 and not run._writer.failure:
            time.sleep(0.01)
print(step, [str(one.message) for one in told])
(folder / "runs").chmod(0o755)
"""


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
@pytest.mark.parametrize("when", ["before", "later"])
def test_a_folder_that_is_read_only_is_one_warning(when: str) -> None:
    with tempfile.TemporaryDirectory() as place:
        # Root may write anywhere: there the training is nobody's.
        Path(place).chmod(0o777)
        done = subprocess.run(
            [sys.executable, "-c", READ_ONLY, place, when],
            capture_output=True,
            text=True,
            check=False,
            cwd=Path(__file__).parents[2],
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        step, told = done.stdout.split(" ", 1)
        assert step == "39"
        assert told.count("LSTM Studio") == 1
        assert "the training goes on: [Errno 13] Permission denied" in told
        if when == "later":
            # The segment that it had open is whole; the next could not be begun.
            run = ls.open_run(Path(place) / "runs" / "mine")
            assert len(run.steps) >= 3
            assert run.steps == list(range(len(run.steps)))
            assert not run.problems


@pytest.mark.skipif(os.name != "posix", reason="the words are those of POSIX")
def test_a_folder_that_cannot_be_made_is_one_warning(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    model = nn.LSTM(3, 4)
    with (
        pytest.warns(RuntimeWarning, match="Not a directory") as told,
        ls.watch(model, tmp_path / "file" / "run", every=1) as run,
    ):
        train(run, model)
    assert len(told) == 1


def test_warnings_that_are_errors_do_not_end_the_training(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("not a folder")
    model = nn.LSTM(3, 4)
    train(ls.watch(model, tmp_path / "file" / "run"), model)
    assert "LSTM Studio stopped recording" in capsys.readouterr().err


def test_two_trainings_do_not_share_a_folder(tmp_path: Path) -> None:
    model = nn.LSTM(3, 4)
    with ls.watch(model, tmp_path / "run", every=1) as first:
        with pytest.warns(RuntimeWarning, match="another training is recording there"):
            second = ls.watch(model, tmp_path / "run", every=1)
        train(second, model, 3)
        train(first, model, 2)
    run = ls.open_run(tmp_path / "run")
    assert list(run.scalars["loss"][0]) == [0, 1]
    assert run.status == "finished"
    assert len(list((tmp_path / "run" / "rank00000").glob("*.mcap"))) == 1


def test_two_processes_do_not_share_a_folder(tmp_path: Path) -> None:
    """Whichever comes second is told; nothing of the two is mixed."""
    script = TRAINING.replace("range(100_000)", "range(30)").replace("number=step", "number=step + int(sys.argv[2])")
    folder = tmp_path / "run"
    with ls.watch(nn.LSTM(3, 8), folder, every=3) as run:
        for _ in range(2):
            done = subprocess.run(
                [sys.executable, "-c", script, str(folder), "1000"], capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr
            assert done.stderr.count("another training is recording there") == 1
        for step in range(5):
            run.step(number=step)
    read = ls.open_run(folder)
    assert list(read.scalars["number"][1]) == [0, 1, 2, 3, 4]
    assert [event["event"] for event in read.events].count("start") == 1
    assert len(list((folder / "rank00000").glob("*.mcap"))) == 1
    # Once the first has ended, another one goes on from there.
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder), "1000"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    read = ls.open_run(folder)
    assert list(read.scalars["number"][1]) == [0, 1, 2, 3, 4, *range(1000, 1030)]
    assert list(read.scalars["number"][0]) == list(range(35))


def test_a_run_is_resumed_in_a_segment_of_its_own(tmp_path: Path) -> None:
    model = nn.LSTM(3, 4)
    for _ in range(2):
        with ls.watch(model, tmp_path / "run", every=3) as run:
            train(run, model, 5)
    read = ls.open_run(tmp_path / "run")
    assert list(read.scalars["loss"][0]) == list(range(10))
    assert read.steps == [0, 3, 6, 9]
    assert sorted(path.name for path in (tmp_path / "run" / "rank00000").glob("*.mcap")) == [
        "000001.mcap",
        "000002.mcap",
    ]


def test_a_step_that_is_done_again_counts_as_it_was_the_last_time(tmp_path: Path) -> None:
    with ls.watch(nn.LSTM(3, 4), tmp_path / "run", every=100) as run:
        for step, value in ((0, 1.0), (1, 2.0), (2, 3.0), (1, 20.0), (2, 30.0)):
            run.step(step=step, loss=value)
    steps, values = ls.open_run(tmp_path / "run").scalars["loss"]
    assert list(zip(steps, values, strict=True)) == [(0, 1.0), (1, 20.0), (2, 30.0)]


def test_a_training_that_counts_in_its_own_way_is_sampled_all_the_same(tmp_path: Path) -> None:
    model = nn.LSTM(3, 4)
    with ls.watch(model, tmp_path / "run", every=5) as run:
        for step in range(4, 44, 4):
            torch.autograd.backward(model(torch.randn(5, 2, 3))[0].sum())
            run.step(step=step)
    assert ls.open_run(tmp_path / "run").steps == [4, 24]


def test_the_run_of_another_model_is_left_alone(tmp_path: Path) -> None:
    model, other = nn.LSTM(3, 4), nn.LSTM(3, 5)
    with ls.watch(model, tmp_path / "run", every=1) as run:
        train(run, model, 2)
    with pytest.warns(RuntimeWarning, match="holds the run of another model"):
        second = ls.watch(other, tmp_path / "run", every=1)
    train(second, other, 2)
    read = ls.open_run(tmp_path / "run")
    assert read.steps == [0, 1]
    assert read.trace(1)["lstm.0.hidden_state"].shape == (5, 4)


def test_a_clock_that_goes_back_does_not_reorder_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = itertools.count(2_000_000_000, -1000)
    clock = SimpleNamespace(
        time=lambda: float(next(now)),
        time_ns=lambda: next(now) * 10**9,
        monotonic=time.monotonic,
        perf_counter=time.perf_counter,
    )
    monkeypatch.setattr(recorder, "time", clock)
    monkeypatch.setattr(writer, "time", clock)
    model = nn.LSTM(3, 4)
    with ls.watch(model, tmp_path / "run", every=1) as run:
        train(run, model, 4)
    read = ls.open_run(tmp_path / "run")
    assert read.status == "finished"
    assert read.steps == [0, 1, 2, 3]
    times = [record.time_ns for record in tail_records(tmp_path / "run" / "rank00000" / "000001.mcap")]
    assert times == sorted(set(times))


def test_segments_are_ended_and_read_as_one_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(recorder._SEGMENTS, "disk", (20_000, math.inf))
    model = nn.LSTM(3, 4)
    with ls.watch(model, tmp_path / "run", every=1) as run:
        train(run, model, 30)
    assert len(list((tmp_path / "run" / "rank00000").glob("*.mcap"))) > 3
    assert ls.open_run(tmp_path / "run").steps == list(range(30))


def test_following_gives_everything_once_while_it_is_written(tmp_path: Path) -> None:
    model = nn.LSTM(3, 4)
    run = ls.watch(model, tmp_path / "run", every=2)

    def work() -> None:
        for _ in range(10):
            train(run, model, 1)
            time.sleep(0.02)
        run.close()

    thread = threading.Thread(target=work)
    reader = ls.open_run(tmp_path / "run")
    thread.start()
    news = list(reader.follow(seconds=0.01))
    thread.join()
    assert [step for new in news for step in new.steps] == [0, 2, 4, 6, 8]
    assert [new.status for new in news[:-1]] == ["running"] * (len(news) - 1)
    assert news[-1].status == "finished"
    assert list(reader.scalars["loss"][0]) == list(range(10))


def test_a_queue_that_is_full_drops_and_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()
    write = Writer._write

    def slow(self: Writer, line: Line, payload: bytes) -> None:
        if line.schema == "scalars":
            gate.wait(10)
        write(self, line, payload)

    monkeypatch.setattr(Writer, "_write", slow)
    monkeypatch.setattr(writer, "_WAITING_RECORDS", 5)
    with ls.watch(nn.LSTM(3, 4), tmp_path / "run", every=1000) as run:
        began = time.monotonic()
        for step in range(1, 51):
            run.step(step=step, loss=float(step))
        assert time.monotonic() - began < 5
        threading.Timer(0.2, gate.set).start()
    read = ls.open_run(tmp_path / "run")
    # The end is told even where the queue is full.
    assert read.status == "finished"
    dropped = sum(event["records"] for event in read.events if event["event"] == "dropped")
    assert dropped + len(read.scalars["loss"][0]) == 50
    assert dropped >= 44


def test_an_error_in_the_training_is_told_by_the_run(tmp_path: Path) -> None:
    model = nn.LSTM(3, 4)

    def fail() -> None:
        with ls.watch(model, tmp_path / "run") as run:
            train(run, model, 1)
            raise ZeroDivisionError("of the training")

    with pytest.raises(ZeroDivisionError):
        fail()
    read = ls.open_run(tmp_path / "run")
    assert read.status == "died"
    assert read.events[-1]["error"] == "of the training"


@pytest.mark.parametrize(("ending", "status"), [("", "finished"), ("1 / 0", "died")])
def test_a_script_that_just_ends_closes_its_run(ending: str, status: str, tmp_path: Path) -> None:
    script = f"""
import sys, torch, lstm_studio as ls
run = ls.watch(torch.nn.LSTM(3, 8), sys.argv[1], every=100)
for step in range(10):
    run.step(loss=step)
{ending}
"""
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path / "run")], capture_output=True, check=False)
    assert done.returncode == bool(ending)
    run = ls.open_run(tmp_path / "run")
    assert run.status == status
    assert list(run.scalars["loss"][0]) == list(range(10))


def test_a_process_that_was_forked_off_records_nothing(tmp_path: Path) -> None:
    """As the workers of a data loader are."""
    script = """
import os, sys, torch, lstm_studio as ls
with ls.watch(torch.nn.LSTM(3, 8), sys.argv[1], every=100) as run:
    run.step(loss=0)
    child = os.fork()
    if not child:
        run.step(loss=1)
        run.close()
        os._exit(0)
    os.waitpid(child, 0)
    run.step(loss=2)
"""
    if not hasattr(os, "fork"):
        pytest.skip("this system has no fork")
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "run")], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    run = ls.open_run(tmp_path / "run")
    assert [list(part) for part in run.scalars["loss"]] == [[0, 1], [0.0, 2.0]]
    assert run.status == "finished"
    assert not run.problems


@pytest.mark.parametrize(("rank", "ranks", "there"), [("1", "0", False), ("1", "all", True), ("1", "0,1", True)])
def test_each_rank_has_a_folder(
    rank: str, ranks: str, there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", rank)
    monkeypatch.setenv("WORLD_SIZE", "2")
    model = nn.LSTM(3, 4)
    with ls.watch(model, tmp_path / "run", every=1, ranks=ranks) as run:
        train(run, model, 2)
    assert (tmp_path / "run" / "rank00001").exists() == there
    if there:
        read = ls.open_run(tmp_path / "run")
        assert read.info["world_size"] == 2
        assert read.steps == [0, 1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"every": 0}, "every is 0"),
        ({"sequences": 0}, "sequences is 0"),
        ({"dtype": "int8"}, "int8"),
        ({"ranks": "first"}, "first"),
    ],
)
def test_wrong_arguments_are_refused_at_once(arguments: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(ls.RunError, match=words):
        ls.watch(nn.LSTM(3, 4), tmp_path / "run", **arguments)
    with pytest.raises(ls.RunError, match="no layer over time"):
        ls.watch(nn.Linear(3, 4), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("address", ["s3://bucket/run", "ssh://host/run", "http://127.0.0.1:9/run"])
def test_nothing_is_recorded_at_an_address(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ls.RunError, match="is an address"):
        ls.watch(nn.LSTM(3, 4), address)
    with pytest.raises(ls.RunError, match="is an address"):
        ls.watch(nn.LSTM(3, 4), Path(address))
    assert list(tmp_path.iterdir()) == []


def test_a_watched_model_that_is_not_called_is_told_once(tmp_path: Path) -> None:
    run = ls.watch(nn.LSTM(3, 4), tmp_path / "run", every=1)
    run.step(loss=1.0)
    with pytest.warns(RuntimeWarning, match="has seen no call of lstm") as told:
        run.step(loss=1.0)
    for _ in range(6):
        run.step(loss=1.0)
    run.close()
    assert len(told) == 1


def test_numbers_that_json_does_not_have(tmp_path: Path) -> None:
    values = [1.5, float("nan"), float("inf"), float("-inf"), 1e-300]
    with ls.watch(nn.LSTM(3, 4), tmp_path / "run", every=100) as run:
        for value in values:
            run.step(loss=torch.tensor(value, dtype=torch.float64))
    np.testing.assert_array_equal(ls.open_run(tmp_path / "run").scalars["loss"][1], values)


def test_a_step_of_which_no_records_can_be_made_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(samples: Any, step: int, dtype: str) -> Any:
        if step == 1:
            raise MemoryError
        return records_of(samples, step, dtype)

    monkeypatch.setattr(recorder, "records_of", fails)
    model = nn.LSTM(3, 4)
    with ls.watch(model, tmp_path / "run", every=1) as run:
        train(run, model, 4)
    read = ls.open_run(tmp_path / "run")
    (told,) = (event for event in read.events if event["event"] == "not captured")
    assert (told["step"], told["reason"]) == (1, "MemoryError")
    assert read.steps == [0, 2, 3]
    assert len(read.scalars["loss"][0]) == 4
    assert read.status == "finished"

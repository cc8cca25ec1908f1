"""Runs that were made to do harm: what reading them may cost, and how far one damage reaches."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import lstm_studio as ls
from lstm_studio.engine.storage import pack_trace
from lstm_studio.engine.trace import Trace
from lstm_studio.runs.format import LARGEST_JSON, Line, chunk, introduction, segment_end, segment_start
from lstm_studio.runs.listing import details
from lstm_studio.runs.writer import json_bytes
from lstm_studio.session.alarms import AlarmWatch, Thresholds
from lstm_studio.session.pictures import Followed, picture_of
from lstm_studio.training.control import CONTROL_FILE, Wish, ask, wish
from tests.runs.made_runs import Said, event, lags, made, scalars, segment, segment_bytes

ROOT = Path(__file__).parents[2]
GOOD = scalars(1, loss=0.5)

READ = """
import json, sys, time
from pathlib import Path
import lstm_studio as ls
import numpy, rich.table
from lstm_studio.runs import reader

def peak():
    # What resource tells begins with what the process had that started this one.
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024

before, began = peak(), time.monotonic()
run = ls.open_run(sys.argv[1])
run.refresh()
found = {
    "scalars": len(run.scalars), "lags": len(run.lags), "steps": len(run.steps), "layers": len(run.layers),
    "events": len(run.events), "problems": list(map(str, run.problems)), "status": run.status,
}
print(json.dumps({**found, "seconds": time.monotonic() - began, "memory": peak() - before}))
"""


def read_apart(folder: Path) -> dict[str, Any]:
    """Read a run in a process of its own, and return what it holds and what that cost: seconds, and MB at the most."""
    done = subprocess.run(
        [sys.executable, "-c", READ, str(folder)], capture_output=True, text=True, check=False, cwd=ROOT, timeout=150
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout)
    assert all(len(words) < 1000 for words in found["problems"])
    return found


def many(folder: Path, said: Iterator[Said], *, closed: bool = False) -> Path:
    """Make a run of very many records, those of one channel with one number, as a recorder does."""
    made(folder)
    lines: dict[tuple[str, str], tuple[int, bytes]] = {}
    with segment(folder).open("wb") as file:
        file.write(segment_start("somebody"))
        for number, (topic, schema, payload) in enumerate(said):
            if (topic, schema) not in lines:
                lines[topic, schema] = len(lines) + 1, introduction(Line(topic, schema), len(lines) + 1)
            line, begin = lines[topic, schema]
            file.write(chunk(begin, line, number, number, payload))
        file.write(segment_end() if closed else b"")
    return folder


# Asked to stop by something that is no wish.


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\0",
        b"{",
        b'{"wanted": "stop"',
        b'["stop"]',
        b'"stop"',
        b"null",
        b"5",
        b'{"wanted": null}',
        b'{"wanted": ["stop"]}',
        b'{"wanted": {"stop": 1}}',
        b'{"wanted": true}',
        b'{"wanted": "STOP"}',
        b'{"wanted": "run away"}',
        b"[" * 900,
        b"[" * 2_000_000,
        b'{"wanted": "stop", "and": "' + b"x" * 10_000 + b'"}',
        b'{"wanted": ' + b"9" * 5000 + b"}",
    ],
    ids=lambda content: repr(content[:20]),
)
def test_a_wish_that_makes_no_sense_is_none(content: bytes, tmp_path: Path) -> None:
    (tmp_path / CONTROL_FILE).write_bytes(content)
    assert wish(tmp_path) is Wish.RUN
    ask(tmp_path, Wish.PAUSE)
    assert wish(tmp_path) is Wish.PAUSE


@pytest.mark.skipif(os.name != "posix", reason="links, holes and pipes of POSIX")
@pytest.mark.parametrize("what", ["link", "folder", "pipe", "hole", "device"])
@pytest.mark.timeout(20)
def test_a_wish_that_is_no_file_is_none(what: str, tmp_path: Path) -> None:
    path = tmp_path / CONTROL_FILE
    if what == "link":
        (tmp_path / "elsewhere").write_text('{"wanted": "stop"}')
        path.symlink_to(tmp_path / "elsewhere")
    elif what == "folder":
        path.mkdir()
    elif what == "pipe":
        os.mkfifo(path)
    elif what == "device":
        path.symlink_to("/dev/zero")
    else:
        with path.open("wb") as file:
            file.truncate(2**40)
    assert wish(tmp_path) is Wish.RUN


def test_a_training_goes_on_beside_a_damaged_wish(tmp_path: Path) -> None:
    """The whole program, which looks at it several times a second."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / CONTROL_FILE).write_bytes(b'{"wanted": ["stop"]}')
    command = [sys.executable, "-m", "lstm_studio", "train", "adding", "--run", str(tmp_path / "run"), "--steps", "30"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=150)
    assert done.returncode == 0, done.stderr[-2000:]
    run = ls.open_run(tmp_path / "run")
    assert run.status == "finished"
    assert run.scalars["lstm.train_loss"][0][-1] == 30


# Gradients by lag.

SENSELESS: dict[str, Any] = {
    "a text": "0.5",
    "digits": "123",
    "a mapping": {"1": 2},
    "a number": 5,
    "nothing": None,
    "texts": ["much"],
    "rows": [[1.0, 2.0]],
    "nested": [[[[[[[[[[[[1]]]]]]]]]]]],
    "mappings": [{}],
    "too many": [1.0] * 4097,
    "null": [1.0, None],
}


@pytest.mark.parametrize("kind", SENSELESS)
def test_lags_that_make_no_sense_are_told_and_passed_over(kind: str, tmp_path: Path) -> None:
    good = lags(2, {"lstm.0": {"hidden_state": [2.0, 1.0]}})
    bad = lags(1, {"lstm.0": {"hidden_state": SENSELESS[kind]}})
    run = ls.open_run(made(tmp_path / "run", bad, good, GOOD))
    assert len(run.problems) == 1
    assert len(str(run.problems[0])) < 1000
    np.testing.assert_array_equal(run.lags["lstm.0.hidden_state"][1], [[2.0, 1.0]])
    assert run.scalars["loss"][1].tolist() == [0.5]


@pytest.mark.parametrize("found", [[], "lstm", 5, {"lstm.0": []}, {"lstm.0": "h"}, {"lstm.0": {"every": []}, "x": 1}])
def test_what_is_no_lags_at_all(found: Any, tmp_path: Path) -> None:
    run = ls.open_run(made(tmp_path / "run", lags(1, found), GOOD))
    assert run.lags == {}
    assert run.scalars["loss"][1].tolist() == [0.5]


@pytest.mark.parametrize("every", [0, -1, 2**40, "many", None, 1e300])
def test_lags_that_lie_impossibly_apart(every: Any, tmp_path: Path) -> None:
    rows = {"lstm.0": {"hidden_state": [2.0, 1.0], "every": every}}
    run = ls.open_run(made(tmp_path / "run", lags(1, rows), GOOD))
    assert run.lags == {}
    assert len(run.problems) == 1


def nested(depth: int) -> Said:
    row = b"[" * depth + b"1" + b"]" * depth
    return "layer/lstm", "statistics", b'{"step": 1, "lags": {"lstm.0": {"hidden_state": ' + row + b"}}}"


@pytest.mark.parametrize("depth", [100, 900, 5_000, 500_000])
def test_lags_that_are_nested_deeply(depth: int, tmp_path: Path) -> None:
    run = ls.open_run(made(tmp_path / "run", nested(depth), GOOD))
    assert run.lags == {}
    assert len(run.problems) == 1


def widening() -> Iterator[Said]:
    """A row one longer each time: every row before becomes as wide as the last one."""
    for step in range(6000):
        yield lags(step, {"l": {"h": [1] * min(step + 1, 4096)}})


def backward() -> Iterator[Said]:
    for step in range(60_000, 0, -1):
        yield lags(step, {"l": {"h": [1]}})


def crowded() -> Iterator[Said]:
    """Each with more names than are kept."""
    rows = {f"n{number}": {"h": [1]} for number in range(15_000)}
    for step in range(40):
        yield lags(step, rows)


def respaced() -> Iterator[Said]:
    """Rows that are thinned again and again."""
    for step in range(2000):
        yield lags(step, {"l": {"h": [1] * 4000, "every": 2 ** min(step // 64, 30)}})


@pytest.mark.skipif(sys.platform != "linux", reason="memory is asked for as on Linux")
@pytest.mark.parametrize("make", [widening, backward, crowded, respaced])
def test_lags_without_an_end(make: Any, tmp_path: Path) -> None:
    found = read_apart(many(tmp_path / "run", make()))
    assert 1 <= found["lags"] <= 10_000
    assert found["memory"] < 600
    assert found["seconds"] < 60


# Events.


def test_of_events_without_an_end_the_last_one_still_counts(tmp_path: Path) -> None:
    def said() -> Iterator[Said]:
        yield event("start", host="elsewhere", process=1)
        for step in range(25_000):
            yield event("not captured", step=step, reason="shape")
        yield event("solved", network="lstm", step=7)
        yield event("end")

    run = ls.open_run(many(tmp_path / "run", said(), closed=True))
    assert run.status == "finished"
    kinds = [one["event"] for one in run.events]
    assert len(kinds) <= 10_100
    assert kinds[0] == "start"
    assert kinds[-3:] == ["not captured", "solved", "end"]
    assert run.events[-3]["step"] == 24_999


def test_a_run_that_goes_on_after_events_without_an_end_is_running(tmp_path: Path) -> None:
    said = [event("not captured", step=step) for step in range(11_000)]
    said += [event("end"), event("start", host="elsewhere", process=1)]
    run = ls.open_run(many(tmp_path / "run", iter(said)))
    assert run.status == "running"


def large_events() -> Iterator[Said]:
    """Of one MB each, most of it small lists, which take thirty times as much in memory."""
    for number in range(60):
        yield "events", "events", b'{"event": "e%d", "x": [' % number + b",".join([b"[]"] * 330_000) + b"]}"


def many_kinds() -> Iterator[Said]:
    for number in range(300_000):
        yield event(f"kind {number}")


@pytest.mark.skipif(sys.platform != "linux", reason="memory is asked for as on Linux")
@pytest.mark.parametrize("make", [large_events, many_kinds])
def test_events_that_would_fill_the_memory(make: Any, tmp_path: Path) -> None:
    found = read_apart(many(tmp_path / "run", make()))
    assert found["events"] <= 10_100
    assert found["memory"] < 300
    assert found["seconds"] < 60


def odd_event(kind: Any) -> Said:
    about = {"event": kind, "step": [], "reason": {}, "host": 5, "process": "x", "wall": None, "records": "many"}
    return "events", "events", json_bytes(about)


@pytest.mark.parametrize("kind", [None, 5, ["end"], {"end": 1}, True])
def test_an_event_of_no_kind_is_told_and_passed_over(kind: Any, tmp_path: Path) -> None:
    run = ls.open_run(made(tmp_path / "run", odd_event(kind), GOOD))
    assert run.events == []
    assert len(run.problems) == 1


@pytest.mark.parametrize(
    "kind", ["end\0", "x" * 5000, "start", "dropped", "not captured", "stopped", "solved", "tested"]
)
def test_an_event_that_says_odd_things(kind: str, tmp_path: Path) -> None:
    run = ls.open_run(made(tmp_path / "run", odd_event(kind), GOOD))
    assert run.status == "running"
    assert len(run.events) == 1
    assert list(details(run))
    AlarmWatch(Thresholds()).look(Followed("run", picture_of(run)))


# JSON without an end, names, modules, traces.


def endless(content: bytes) -> Iterator[Said]:
    yield GOOD
    for schema in ("scalars", "events", "parameters"):
        yield schema, schema, content
    yield "layer/lstm", "statistics", content


@pytest.mark.skipif(sys.platform != "linux", reason="memory is asked for as on Linux")
@pytest.mark.parametrize("begin", [b"[", b'{"rows": [[1, 0, {"loss": ', b'{"rows": "'], ids=["lists", "number", "text"])
@pytest.mark.parametrize("size", [LARGEST_JSON - 50, 48 * 2**20])
def test_json_without_an_end(begin: bytes, size: int, tmp_path: Path) -> None:
    fill = {b"[": b"[", b'{"rows": "': b"x"}.get(begin, b"9")
    found = read_apart(many(tmp_path / "run", endless(begin + fill * (size - len(begin)))))
    assert found["scalars"] == 1
    assert len(found["problems"]) == 4
    assert found["memory"] < 50 + 4 * size / 2**20
    assert found["seconds"] < 30


def trace_block(path: str, step: int) -> bytes:
    arrays = {"input": np.zeros((1, 1), np.float32)}
    return pack_trace(Trace(arrays, ()), {"step": str(step), "item": "0", "path": path})


def long_names() -> Iterator[Said]:
    for number in range(60):
        yield "scalars", "scalars", json_bytes({"rows": [[1, 0, {f"{number}" * 400_000: 1.0}]]})
        yield "layer/lstm", "trace", trace_block(f"{number}" + "x" * 1_000_000, number)


def many_modules() -> Iterator[Said]:
    for number in range(15_000):
        yield "layer/lstm", "trace", trace_block(f"layer {number}", 1)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is asked for as on Linux")
@pytest.mark.parametrize("make", [long_names, many_modules])
def test_names_without_an_end(make: Any, tmp_path: Path) -> None:
    found = read_apart(many(tmp_path / "run", make()))
    assert found["layers"] <= 10_000
    assert found["problems"]
    assert found["memory"] < 100
    assert found["seconds"] < 60


def test_traces_without_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lstm_studio.runs.reader._MOST_TRACES", 50)
    said = [("layer/lstm", "trace", trace_block("lstm", step)) for step in range(80)]
    run = ls.open_run(made(tmp_path / "run", *said, GOOD))
    assert run.steps == list(range(50))
    assert len(run.problems) == 30
    assert run.scalars["loss"][1].tolist() == [0.5]


def test_a_million_segments_of_nothing_do_not_stop_it(tmp_path: Path) -> None:
    folder = made(tmp_path / "run", GOOD)
    for number in range(2, 3000):
        segment(folder, 0, number).touch()
    began = time.monotonic()
    run = ls.open_run(folder)
    assert run.scalars["loss"][1].tolist() == [0.5]
    assert time.monotonic() - began < 20


# How far damage reaches.


def two_segments(folder: Path) -> Path:
    made(folder, event("start", host="elsewhere", process=1), scalars(0, loss=1.0), scalars(1, loss=2.0), closed=True)
    said = [event("start", host="elsewhere", process=1), scalars(2, loss=3.0), event("end")]
    segment(folder, 0, 2).write_bytes(segment_bytes(said, closed=True))
    return folder


@pytest.mark.parametrize("what", ["magic", "first record", "all", "cut short", "empty", "text", "zeros"])
def test_a_damaged_beginning_costs_one_segment_at_the_most_and_is_told(what: str, tmp_path: Path) -> None:
    folder = two_segments(tmp_path / "run")
    raw = segment(folder).read_bytes()
    damaged = {
        "magic": b"\0" * 8 + raw[8:],
        "first record": raw[:8] + b"\xff" * 60 + raw[68:],
        "all": bytes(byte ^ 0x55 for byte in raw),
        "cut short": raw[:5],
        "empty": b"",
        "text": b"<html>not found</html>" * 50,
        "zeros": b"\0" * len(raw),
    }[what]
    segment(folder).write_bytes(damaged)
    run = ls.open_run(folder)
    left = {"magic": [1.0, 2.0, 3.0], "first record": [1.0, 2.0, 3.0]}.get(what, [3.0])
    assert run.scalars["loss"][1].tolist() == left
    assert run.status == "finished"
    # One that was cut or has nothing yet may belong to a writer that was killed: that is no damage.
    if what not in {"cut short", "empty"}:
        assert len(run.problems) == 1
        assert run.problems[0].file == str(segment(folder))
    # However often it is looked at, it is told once, and nothing more is lost.
    for _ in range(300):
        run.refresh()
    assert len(run.problems) <= 1
    assert run.scalars["loss"][1].tolist() == left


def test_what_comes_after_damage_that_was_waited_for_is_read(tmp_path: Path) -> None:
    """Zeros where a file system has yet to put what was written: they are looked at very often, then filled."""
    folder = made(tmp_path / "run", event("start", host="elsewhere", process=1), scalars(0, loss=1.0))
    whole = segment_bytes([event("start", host="elsewhere", process=1), scalars(0, loss=1.0), scalars(1, loss=2.0)])
    before = segment(folder).read_bytes()
    segment(folder).write_bytes(before + b"\0" * (len(whole) - len(before)))
    run = ls.open_run(folder)
    for _ in range(400):
        run.refresh()
    assert not run.problems
    segment(folder).write_bytes(whole + segment_bytes([scalars(2, loss=3.0)])[8:])
    run.refresh()
    assert run.scalars["loss"][1].tolist() == [1.0, 2.0, 3.0]


def test_a_run_that_is_copied_again_and_again_while_it_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each copy is read as far as it goes; a reader that stays on the copy gets everything once."""
    monkeypatch.setitem(import_recorder()._SEGMENTS, "disk", (10_000, 1e9))
    model, source, copy = nn.LSTM(3, 8), tmp_path / "run", tmp_path / "copy"
    recorder = ls.watch(model, source, every=5)

    def work() -> None:
        for step in range(200):
            torch.autograd.backward(model(torch.randn(6, 2, 3))[0].sum())
            recorder.step(loss=float(step))
            time.sleep(0.002)
        recorder.close()

    thread = threading.Thread(target=work)
    thread.start()
    stays = None
    lengths = []
    while thread.is_alive():
        # As rsync does it: files become longer, and none is removed.
        shutil.copytree(source, copy, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".*"))
        fresh = ls.open_run(copy)
        stays = stays or ls.open_run(copy)
        stays.refresh()
        for run in (fresh, stays):
            assert not run.problems
            steps, values = run.scalars.get("loss", (np.zeros(0), np.zeros(0)))
            np.testing.assert_array_equal(steps, np.arange(len(steps)))
            np.testing.assert_array_equal(values, steps)
            for step in run.steps[-1:]:
                assert run.trace(step)["lstm.0.forget_gate"].shape == (6, 8)
        lengths.append(len(fresh.scalars.get("loss", ([],))[0]))
    thread.join()
    shutil.copytree(source, copy, dirs_exist_ok=True)
    assert stays is not None
    stays.refresh()
    assert stays.scalars["loss"][1].tolist() == list(range(200))
    assert stays.status == "finished"
    assert not stays.problems
    assert len(set(lengths)) > 2
    assert len(list((copy / "rank00000").glob("*.mcap"))) > 2


def import_recorder() -> Any:
    from lstm_studio.runs import recorder

    return recorder


# Nothing outside the folder.


@pytest.mark.skipif(os.name != "posix", reason="links and pipes of POSIX")
@pytest.mark.parametrize("what", ["snapshots", "update", "file", "pipe"])
@pytest.mark.timeout(20)
def test_no_weights_come_from_outside(what: str, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "00000010").mkdir(parents=True)
    (outside / "00000010" / "lstm.safetensors").write_bytes(b"secret")
    folder = made(tmp_path / "run", GOOD)
    snapshots = folder / "snapshots"
    if what == "snapshots":
        snapshots.symlink_to(outside)
    elif what == "update":
        snapshots.mkdir()
        (snapshots / "00000010").symlink_to(outside / "00000010")
    else:
        (snapshots / "00000010").mkdir(parents=True)
        path = snapshots / "00000010" / "lstm.safetensors"
        path.symlink_to(outside / "00000010" / "lstm.safetensors") if what == "file" else os.mkfifo(path)
    run = ls.open_run(folder)
    assert run.snapshots == ([10] if what in {"file", "pipe"} else [])
    with pytest.raises(ls.RunError):
        run.snapshot(10, "lstm")
    for key in ("../../outside/00000010/lstm", "/etc/passwd", "lstm\0", "."):
        with pytest.raises(ls.RunError):
            run.snapshot(10, key)


def test_records_whose_times_go_back_are_read_in_their_order(tmp_path: Path) -> None:
    folder = made(tmp_path / "run")
    line = Line("scalars", "scalars")
    begin = introduction(line, 1)
    with segment(folder).open("wb") as file:
        file.write(segment_start("somebody"))
        for number, time_ns in enumerate([2**63, 5, 0, 2**64 - 1, 7]):
            file.write(chunk(begin, 1, number, time_ns, scalars(number, loss=float(number))[2]))
    run = ls.open_run(folder)
    assert run.scalars["loss"][1].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert not run.problems

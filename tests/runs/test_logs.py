"""TensorBoard's folders and Lightning's tables, beside what TensorBoard itself reads."""

from __future__ import annotations

import csv
import os
import struct
import time
import zlib
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import lstm_studio as ls
from lstm_studio.runs.like import RunLike, Status
from lstm_studio.runs.logs.crc32c import masked_crc32c
from lstm_studio.runs.opening import open_any, trainings_in

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]
FEW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
EVENT_FILE = "events.out.tfevents.1700000000.host.1.0"


def event_bytes(step: int, *values: Any, wall: float = 1.0) -> bytes:
    """Return an event as the library of the format writes it."""
    protocol = import_module("tensorboard.compat.proto.event_pb2")
    summary = import_module("tensorboard.compat.proto.summary_pb2")
    written: bytes = protocol.Event(
        wall_time=wall, step=step, summary=summary.Summary(value=values)
    ).SerializeToString()
    return written


def number(tag: str, value: float) -> Any:
    return import_module("tensorboard.compat.proto.summary_pb2").Summary.Value(tag=tag, simple_value=value)


def tensor(tag: str, plugin: str, **fields: Any) -> Any:
    summary = import_module("tensorboard.compat.proto.summary_pb2")
    tensors = import_module("tensorboard.compat.proto.tensor_pb2")
    about = summary.SummaryMetadata(plugin_data={"plugin_name": plugin}) if plugin else None
    return summary.Summary.Value(tag=tag, metadata=about, tensor=tensors.TensorProto(**fields))


def framed(event: bytes) -> bytes:
    """Return an event as a record, with the checksums of TensorBoard's own code."""
    check = import_module("tensorboard.compat.tensorflow_stub.pywrap_tensorflow").masked_crc32c
    length = struct.pack("<Q", len(event))
    return length + struct.pack("<I", check(length)) + event + struct.pack("<I", check(event))


def written(folder: Path, *events: bytes, name: str = EVENT_FILE) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(b"".join(map(framed, events)))
    return folder


def theirs(folder: Path) -> Any:
    """Return what TensorBoard reads of a folder."""
    accumulator = import_module("tensorboard.backend.event_processing.event_accumulator")
    found = accumulator.EventAccumulator(str(folder), size_guidance={"scalars": 0, "histograms": 0, "tensors": 0})
    found.Reload()
    return found


def check_scalars(run: RunLike, folder: Path) -> None:
    read = theirs(folder)
    tags = read.Tags()["scalars"]
    assert sorted(run.scalars) == sorted(tags)
    for tag in tags:
        last = {event.step: event.value for event in read.Scalars(tag)}
        steps, values = run.scalars[tag]
        assert steps.tolist() == sorted(last)
        np.testing.assert_array_equal(values, [last[step] for step in sorted(last)])


def test_what_pytorch_writes_is_read_as_tensorboard_reads_it(tmp_path: Path) -> None:
    writer = import_module("torch.utils.tensorboard").SummaryWriter(tmp_path)
    numbers = np.random.default_rng(0)
    weights = {}
    for step in range(300):
        writer.add_scalar("loss/train", 1 / (step + 1), step)
        writer.add_scalar("loss/µ", float("nan") if step == 7 else -(10.0**step), step * 1_000_003)
        writer.add_scalars("both", {"lstm": 0.5, "rnn": 0.25}, step)
        if step % 100 == 0:
            weights[step] = numbers.normal(0.5, 2, 1000).astype(np.float32)
            writer.add_histogram("lstm.weight_hh_l0", weights[step], step)
            writer.add_text("note", "nothing to draw", step)
    writer.close()
    run = open_any(tmp_path)
    check_scalars(run, tmp_path)
    assert not run.problems
    assert list(run.parameters["lstm.weight_hh_l0.norm"][0]) == [0, 100, 200]
    for index, array in enumerate(weights.values()):
        precise = array.astype(np.float64)
        expected = {"mean": precise.mean(), "deviation": precise.std(), "least": precise.min()}
        for name, value in expected.items():
            found = run.statistics[f"lstm.weight_hh_l0.{name}"][1][index]
            assert found == pytest.approx(value, rel=1e-5)
        norm = run.parameters["lstm.weight_hh_l0.norm"][1][index]
        assert norm == pytest.approx(np.linalg.norm(precise), rel=1e-5)
    # What belongs together PyTorch writes into folders of its own.
    below = sorted(path for path in tmp_path.iterdir() if path.is_dir())
    assert len(below) == 2
    assert trainings_in(tmp_path) == [str(tmp_path), *map(str, below)]
    assert open_any(below[0]).scalars["both"][1].tolist() == [0.5] * 300


SCALAR_WAYS: dict[str, Callable[[str, float], Any]] = {
    "simple_value": number,
    "float_val": lambda tag, value: tensor(tag, "scalars", dtype=1, float_val=[value]),
    "float content": lambda tag, value: tensor(tag, "scalars", dtype=1, tensor_content=struct.pack("<f", value)),
    "double_val": lambda tag, value: tensor(tag, "scalars", dtype=2, double_val=[value]),
    "double content": lambda tag, value: tensor(tag, "scalars", dtype=2, tensor_content=struct.pack("<d", value)),
    "int_val": lambda tag, value: tensor(tag, "scalars", dtype=3, int_val=[int(value)]),
    "int64_val": lambda tag, value: tensor(tag, "scalars", dtype=9, int64_val=[int(value)]),
    "int64 content": lambda tag, value: tensor(tag, "scalars", dtype=9, tensor_content=struct.pack("<q", int(value))),
}


@pytest.mark.parametrize("way", SCALAR_WAYS)
def test_every_way_to_write_a_number(way: str, tmp_path: Path) -> None:
    values = [0.0, 1.0, -3.0, 1e6, 2.0]
    make = SCALAR_WAYS[way]
    events = [event_bytes(10 * step, make("loss", value)) for step, value in enumerate(values)]
    steps, found = open_any(written(tmp_path / "logs", *events)).scalars["loss"]
    np.testing.assert_array_equal(steps, [0, 10, 20, 30, 40])
    np.testing.assert_array_equal(found, values)


def test_histograms_as_tensors(tmp_path: Path) -> None:
    edges = np.array([[-1.0, 0.0, 0.0], [0.0, 1.0, 3.0], [1.0, 3.0, 1.0], [3.0, 4.0, 0.0]])
    content = edges.astype("<f8").tobytes()
    first = event_bytes(5, tensor("gate", "histograms", dtype=2, tensor_content=content))
    second = event_bytes(6, tensor("gate", "", dtype=2, tensor_content=content))
    run = open_any(written(tmp_path / "logs", first, second))
    middles = np.array([0.5, 0.5, 0.5, 2.0])
    for name, value in {"mean": middles.mean(), "deviation": middles.std(), "least": 0.0, "greatest": 3.0}.items():
        steps, values = run.statistics[f"gate.{name}"]
        assert list(steps) == [5, 6]
        np.testing.assert_allclose(values, [value, value], rtol=1e-12)
    assert not run.problems
    assert not run.scalars


@given(
    st.lists(
        st.tuples(st.integers(0, 2**62), st.sampled_from(["a", "b/c", "loss"]), st.floats(width=32)),
        min_size=1,
        max_size=50,
    ),
    st.integers(1, 5),
)
@FEW
def test_any_events_in_several_files(tmp_path: Path, events: list[tuple[int, str, float]], files: int) -> None:
    for old in tmp_path.glob("*"):
        old.unlink()
    for index in range(files):
        some = [event_bytes(step, number(tag, value)) for step, tag, value in events[index::files]]
        written(tmp_path, *some, name=f"events.out.tfevents.{index}.host")
    known: dict[str, dict[int, float]] = {}
    for index in range(files):
        for step, tag, value in events[index::files]:
            known.setdefault(tag, {})[step] = value
    run = open_any(tmp_path)
    assert set(run.scalars) == set(known)
    for tag, points in known.items():
        steps, values = run.scalars[tag]
        assert steps.tolist() == sorted(points)
        np.testing.assert_array_equal(values, [points[step] for step in sorted(points)])
    assert not run.problems


def test_it_is_followed_to_the_growing_end(tmp_path: Path) -> None:
    records = [framed(event_bytes(step, number("loss", step))) for step in range(200)]
    raw, ends = b"".join(records), np.cumsum(list(map(len, records)))
    path = tmp_path / EVENT_FILE
    path.write_bytes(raw[:5])
    run = open_any(tmp_path)
    assert not run.scalars
    for end in range(5, len(raw) + 61, 61):
        path.write_bytes(raw[:end])
        news = run.refresh()
        count = len(run.scalars["loss"][0]) if "loss" in run.scalars else 0
        assert count == np.searchsorted(ends, end, side="right")
        assert not run.problems
        assert news.status is Status.RUNNING
    np.testing.assert_array_equal(run.scalars["loss"][1], np.arange(200))
    written(tmp_path, event_bytes(500, number("loss", 5.0)), name="events.out.tfevents.1800000000.host.1.0")
    assert run.refresh().scalars == ("loss",)
    assert run.scalars["loss"][0][-1] == 500
    assert run.heard < 2
    assert run.refresh().scalars == ()


def test_one_that_has_been_silent_for_long_has_ended(tmp_path: Path) -> None:
    written(tmp_path, event_bytes(1, number("loss", 1.0)))
    os.utime(tmp_path / EVENT_FILE, (time.time() - 1000, time.time() - 1000))
    run = open_any(tmp_path)
    assert run.status is Status.FINISHED
    assert run.heard == pytest.approx(1000, abs=5)
    assert [news.scalars for news in run.follow()] == [("loss",)]
    assert any("silent for five minutes" in words for words in run.lacks)
    assert any("Explore" in words for words in run.lacks)
    for ask in (lambda: run.trace(1), lambda: run.snapshot(1, "lstm")):
        with pytest.raises(ls.RunError):
            ask()


def test_folders_in_a_folder_are_trainings_of_their_own(tmp_path: Path) -> None:
    event = event_bytes(1, number("loss", 1.0))
    written(tmp_path / "logs" / "lightning_logs" / "version_0", event)
    written(tmp_path / "logs" / "lightning_logs" / "version_1", event)
    with pytest.raises(ls.RunError, match="holds 2 trainings"):
        open_any(tmp_path / "logs")
    found = trainings_in(tmp_path / "logs")
    assert [open_any(address).title for address in found] == ["lightning_logs/version_0", "lightning_logs/version_1"]
    assert open_any(tmp_path / "logs" / "lightning_logs" / "version_1" / EVENT_FILE).address == found[1]
    (tmp_path / "logs" / "lightning_logs" / "version_0" / EVENT_FILE).unlink()
    assert open_any(tmp_path / "logs").address == found[1]
    with pytest.raises(ls.RunError, match="holds no training"):
        open_any(tmp_path / "logs" / "lightning_logs" / "version_0")


@FEW
@given(data=st.data())
def test_a_byte_that_is_wrong_costs_one_event(data: st.DataObject, tmp_path: Path) -> None:
    events = [framed(event_bytes(step, number("loss", step + 0.5))) for step in range(30)]
    raw = bytearray(b"".join(events))
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= data.draw(st.integers(1, 255))
    (tmp_path / EVENT_FILE).write_bytes(raw)
    run = open_any(tmp_path)
    ends = np.cumsum([len(event) for event in events])
    hit = int(np.searchsorted(ends, place, side="right"))
    steps, values = run.scalars["loss"]
    assert steps.tolist() == [step for step in range(30) if step != hit]
    np.testing.assert_array_equal(values, steps + 0.5)
    # The length of the last one may as well not be written in full yet.
    if hit < 29:
        assert len(run.problems) == 1
        assert run.problems[0].offset == ([0, *ends.tolist()])[hit]


def test_the_checksum_is_that_of_the_standard() -> None:
    def turned(crc: int) -> int:
        return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF

    # The check value of CRC-32C, and those of RFC 3720.
    known = {b"123456789": 0xE3069283, b"\0" * 32: 0x8A9136AA, b"\xff" * 32: 0x62A8AB43, bytes(range(32)): 0x46DD794E}
    for block, crc in known.items():
        found = masked_crc32c(np.frombuffer(block, np.uint8), np.array([0]), np.array([len(block)]))
        assert int(found[0]) == turned(crc)


@given(st.binary(max_size=3000), st.data())
def test_checksums_of_parts_are_as_tensorboard_computes_them(block: bytes, data: st.DataObject) -> None:
    bounds = data.draw(
        st.lists(st.tuples(st.integers(0, len(block)), st.integers(0, len(block))).map(sorted), min_size=1, max_size=9)
    )
    starts, stops = np.array(bounds, np.int64).T
    check = import_module("tensorboard.compat.tensorflow_stub.pywrap_tensorflow").masked_crc32c
    found = masked_crc32c(np.frombuffer(block or b"x", np.uint8), starts, stops - starts)
    assert found.tolist() == [check(block[start:stop]) for start, stop in bounds]


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "kind", ["huge length", "lengths everywhere", "zeros", "text", "no event", "endless number", "many names", "hole"]
)
def test_an_event_file_made_to_do_harm(kind: str, tmp_path: Path) -> None:
    good = framed(event_bytes(1, number("loss", 1.0)))
    path = tmp_path / EVENT_FILE
    if kind == "huge length":
        check = import_module("tensorboard.compat.tensorflow_stub.pywrap_tensorflow").masked_crc32c
        length = struct.pack("<Q", 2**60)
        path.write_bytes(good + length + struct.pack("<I", check(length)) + b"x" * 1000)
    elif kind == "lengths everywhere":
        path.write_bytes(good + (framed(b"")[:12] + b"\xff") * 600_000)
    elif kind == "zeros":
        path.write_bytes(good + b"\0" * 2**23)
    elif kind == "text":
        path.write_bytes(good + zlib.compress(b"nonsense" * 1000, 0) * 500)
    elif kind == "no event":
        path.write_bytes(good + framed(b"\xff" * 100) + framed(b"\x2a\x7f\x00") + framed(b"") + framed(b"\x09"))
    elif kind == "endless number":
        path.write_bytes(good + framed(b"\x09" + b"\0" * 8 + b"\x10" + b"\xff" * 60))
    elif kind == "many names":
        path.write_bytes(good + b"".join(framed(event_bytes(1, number(f"n{index}", 1.0))) for index in range(10_500)))
    else:
        path.write_bytes(good)
        with path.open("ab") as file:
            file.truncate(2**40)
    run = open_any(tmp_path, seconds=3)
    assert run.scalars["loss"][1].tolist() == [1.0]
    assert len(run.scalars) <= 10_000
    if kind not in {"huge length", "text", "zeros", "hole"}:
        assert run.problems
    assert all(len(str(problem)) < 1000 for problem in run.problems)


@pytest.mark.skipif(os.name != "posix", reason="links and pipes of POSIX")
@pytest.mark.timeout(20)
def test_an_event_file_that_is_a_link_or_a_pipe_is_not_read(tmp_path: Path) -> None:
    outside = written(tmp_path / "outside", event_bytes(1, number("secret", 1.0)))
    folder = written(tmp_path / "logs", event_bytes(1, number("loss", 1.0)))
    (folder / "events.out.tfevents.2").symlink_to(outside / EVENT_FILE)
    os.mkfifo(folder / "events.out.tfevents.3")
    run = open_any(folder)
    assert list(run.scalars) == ["loss"]
    assert len(run.problems) == 2


def metrics(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Write a table as Lightning's CSVLogger does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=sorted({name for row in rows for name in row}))
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_a_table_of_metrics(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"epoch": 0, "step": 9, "train_loss": 0.5},
        {"epoch": 0, "step": 19, "train_loss": 0.25},
    ]
    rows += [{"epoch": 0, "step": 19, "val, loss": 0.75}, {"epoch": 1, "step": 29, "train_loss": "nan"}]
    path = metrics(tmp_path / "version_3" / "metrics.csv", rows)
    for address in (path, path.parent, tmp_path):
        run = open_any(address)
        assert set(run.scalars) == {"epoch", "train_loss", "val, loss"}
        np.testing.assert_array_equal(run.scalars["train_loss"][0], [9, 19, 29])
        np.testing.assert_array_equal(run.scalars["train_loss"][1], [0.5, 0.25, np.nan])
        np.testing.assert_array_equal(run.scalars["val, loss"], [[19], [0.75]])
        assert not run.problems
        assert any("metrics.csv keeps no gates" in words for words in run.lacks)
    assert trainings_in(path) == [str(path)]


def test_a_table_that_grows_and_is_written_anew(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"step": step, "loss": float(step)} for step in range(50)]
    raw = metrics(tmp_path / "metrics.csv", rows).read_bytes()
    path = tmp_path / "metrics.csv"
    path.write_bytes(raw[:3])
    run = open_any(path)
    for end in range(3, len(raw) + 7, 7):
        path.write_bytes(raw[:end])
        run.refresh()
    np.testing.assert_array_equal(run.scalars["loss"], [np.arange(50), np.arange(50)])
    metrics(path, [*rows, {"step": 50, "accuracy": 1.0}])
    assert run.refresh().scalars == ("loss", "accuracy")
    np.testing.assert_array_equal(run.scalars["loss"], [np.arange(50), np.arange(50)])
    np.testing.assert_array_equal(run.scalars["accuracy"], [[50], [1.0]])
    # Of the same columns, and longer than before: another training in its place.
    metrics(path, [{"step": step, "accuracy": 0.5, "loss": 7.25} for step in range(100)])
    run.refresh()
    np.testing.assert_array_equal(run.scalars["loss"][1], np.full(100, 7.25))
    assert not run.problems


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        (b"step,loss\n1,2\n-5,3\n7,4\n", 1),
        (b"step,loss\n1,2\nx,3\n1e300,3\n7,4\n", 2),
        (b"step,loss\n1,2,3,4,5\n7\n\n7,4\n", 0),
        (b"step,loss\n1,2\n7,4\n" + b"9" * 3_000_000, 2),
        (b'step,loss\n1,2\n"' + b"a" * 200_000 + b'",1\n7,4\n', 1),
        (b"step,loss\n1,2\n\xff\xfe,\0\n7,4\n", 1),
    ],
    ids=["negative", "words", "ragged", "endless", "long cell", "bytes"],
)
def test_a_table_with_rows_that_make_no_sense(text: bytes, problems: int, tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_bytes(text)
    run = open_any(tmp_path)
    np.testing.assert_array_equal(run.scalars["loss"], [[1, 7], [2.0, 4.0]])
    assert len(run.problems) == problems


@pytest.mark.parametrize("text", [b"\0\1\2\n", b"\xff\xfe\n1\n", b"\n\n"])
def test_what_is_no_table(text: bytes, tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_bytes(text)
    with pytest.raises(ls.RunError, match="no table of metrics"):
        open_any(tmp_path)

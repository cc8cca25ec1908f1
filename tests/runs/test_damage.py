"""Runs that were damaged, cut, copied while they grew, or made to do harm."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import sys
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcap.reader import NonSeekingReader
from torch import nn

import lstm_studio as ls
from lstm_studio.runs.format import CHUNK_HEAD, LARGEST_JSON, MAGIC, Line, chunk, introduction, segment_start
from lstm_studio.runs.tail import Record, Tail
from lstm_studio.sequences.tensors import pack

ROOT = Path(__file__).parents[2]
STEPS = 6
TIMES = range(9, 25)
FEW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recorded") / "run"
    model = nn.LSTM(3, 4)
    with ls.watch(model, folder, every=2) as run:
        for step in range(STEPS):
            loss = model(torch.randn(5, 2, 3))[0].pow(2).mean()
            torch.autograd.backward(loss)
            run.step(loss=loss, number=step)
            # Numbers that wait together become one record: here each step has its own.
            while len(numbers(folder)) <= step:
                time.sleep(0.001)
    return folder


def numbers(folder: Path) -> list[float]:
    """Return the numbers of the steps that are written."""
    scalars = ls.open_run(folder).scalars
    return list(scalars["number"][1]) if "number" in scalars else []


@pytest.fixture
def copied(recorded: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(recorded, tmp_path / "run"))


def segment(folder: Path) -> Path:
    return folder / "rank00000" / "000001.mcap"


def records(path: Path) -> list[Record]:
    tail = Tail(path)
    return list(all_of(tail))


def all_of(tail: Tail) -> Iterator[Record]:
    while found := tail.read(7):
        yield from found


def test_the_library_of_the_format_reads_the_very_same_records(recorded: Path) -> None:
    with segment(recorded).open("rb") as file:
        theirs = [
            (schema.name if schema else "", channel.topic, message.log_time, message.data)
            for schema, channel, message in NonSeekingReader(file, validate_crcs=True).iter_messages()
        ]
    ours = [(one.line.schema, one.line.topic, one.time_ns, one.payload) for one in records(segment(recorded))]
    assert ours == theirs
    assert len(ours) > 3 * STEPS // 2 + STEPS
    kinds = [schema for schema, *_ in ours if schema != "events"]
    assert Counter(kinds) == {"scalars": STEPS} | dict.fromkeys(("trace", "statistics", "parameters"), STEPS // 2)
    rows = [row for schema, *_, data in theirs if schema == "scalars" for row in json.loads(data)["rows"]]
    assert [(step, told["number"]) for step, _, told in rows] == [(step, step) for step in range(STEPS)]
    events = [json.loads(data)["event"] for schema, *_, data in theirs if schema == "events"]
    assert (events[0], events[-1]) == ("start", "end")
    assert set(events[1:-1]) <= {"alive"}


@FEW
@given(data=st.data())
def test_a_byte_that_is_wrong_costs_one_record_and_is_told(data: st.DataObject, recorded: Path, tmp_path: Path) -> None:
    whole = records(segment(recorded))
    raw = bytearray(segment(recorded).read_bytes())
    place = data.draw(st.integers(0, whole[-1].offset + whole[-1].length - 1))
    raw[place] ^= data.draw(st.integers(1, 255))
    path = tmp_path / "damaged.mcap"
    path.write_bytes(raw)
    tail = Tail(path)
    left = list(all_of(tail))
    # The chunk says its times once more outside what the checksum covers; nobody reads them there.
    hit = [one for one in whole if one.offset <= place < one.offset + one.length and place - one.offset not in TIMES]
    expected = [one for one in whole if one not in hit]
    assert left == expected
    # The last record may as well not be written in full yet, and what is said beside the records has no checksum.
    if hit and hit[0] != whole[-1]:
        assert len(tail.problems) == 1
        assert (tail.problems[0].file, tail.problems[0].offset) == (str(path), hit[0].offset)


@FEW
@given(data=st.data())
def test_a_cut_leaves_everything_before_it(data: st.DataObject, recorded: Path, tmp_path: Path) -> None:
    whole = records(segment(recorded))
    raw = segment(recorded).read_bytes()
    cut = data.draw(st.integers(0, len(raw)))
    path = tmp_path / "cut.mcap"
    path.write_bytes(raw[:cut])
    tail = Tail(path)
    assert list(all_of(tail)) == [one for one in whole if one.offset + one.length <= cut]
    assert not tail.problems
    # What was cut off comes: the rest is read, and nothing twice.
    path.write_bytes(raw)
    assert list(all_of(tail)) == [one for one in whole if one.offset + one.length > cut]
    assert tail.ended


def test_a_copy_made_while_the_run_grows(recorded: Path, tmp_path: Path) -> None:
    raw = segment(recorded).read_bytes()
    copy = tmp_path / "run"
    (copy / "rank00000").mkdir(parents=True)
    shutil.copy(recorded / "run.json", copy)
    segment(copy).write_bytes(b"")
    run = ls.open_run(copy)
    seen: list[int] = []
    for end in range(0, len(raw) + 997, 997):
        with segment(copy).open("wb") as file:
            file.write(raw[:end])
        seen += run.refresh().steps
    assert seen == [0, 2, 4]
    assert list(run.scalars["number"][1]) == list(range(STEPS))
    assert run.status == "finished"
    assert not run.problems


def test_a_damaged_trace_is_one_step_less(copied: Path) -> None:
    whole = records(segment(copied))
    victim = next(one for one in whole if one.line.schema == "trace")
    raw = bytearray(segment(copied).read_bytes())
    raw[victim.offset + victim.length // 2] ^= 1
    segment(copied).write_bytes(raw)
    run = ls.open_run(copied)
    assert run.steps == [2, 4]
    assert len(run.problems) == 1
    assert f"byte {victim.offset}" in str(run.problems[0])
    assert len(run.scalars["loss"][0]) == STEPS
    with pytest.raises(ls.RunError, match="no trace of step 0"):
        run.trace(0)


def test_a_trace_that_is_damaged_after_it_was_found(copied: Path) -> None:
    run = ls.open_run(copied)
    segment(copied).write_bytes(b"\0" * segment(copied).stat().st_size)
    with pytest.raises(ls.RunError, match="damaged"):
        run.trace(2)
    segment(copied).unlink()
    with pytest.raises(ls.RunError, match="damaged"):
        run.trace(2)
    run.refresh()


def made(folder: Path, *payloads: tuple[str, str, bytes], about: object = None) -> Path:
    """Make a run whose records are these: topic, schema, payload."""
    (folder / "rank00000").mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps(about or {"format": 1, "layers": []}))
    raw = segment_start("somebody")
    for number, (topic, schema, payload) in enumerate(payloads, 1):
        raw += chunk(introduction(Line(topic, schema), number), number, number - 1, number, payload)
    segment(folder).write_bytes(raw)
    return folder


def claims(name: str, dtype: str, shape: list[int], offsets: list[int]) -> bytes:
    """Return a block of arrays whose header claims what it likes."""
    header = {name: {"dtype": dtype, "shape": shape, "data_offsets": offsets}}
    texts = {"step": "7", "item": "0", "path": "lstm", "lstm_studio": '{"format": 1, "layers": [], "provenance": {}}'}
    written = json.dumps({"__metadata__": texts, **header}).encode()
    return struct.pack("<Q", len(written)) + written + b"\0" * 16


GOOD = ("scalars", "scalars", b'{"rows": [[1, 0.0, {"loss": 0.5}]]}')


@pytest.mark.parametrize(
    "payload",
    [
        ("scalars", "scalars", b"[" * 100_000),
        ("scalars", "scalars", b'{"rows": [[1, 0, {"loss": "a lot"}]]}'),
        ("scalars", "scalars", b'{"rows": [[1e400, 0, {"loss": 1}]]}'),
        ("scalars", "scalars", b'{"rows": [[-5, 0, {"loss": 1}]]}'),
        ("scalars", "scalars", b'{"rows": 5}'),
        ("scalars", "scalars", b"\xff\xfe"),
        ("events", "events", b" " * (LARGEST_JSON + 1)),
        ("events", "events", b"[1, 2]"),
        ("layer/lstm", "trace", b""),
        ("layer/lstm", "trace", b"\xff" * 64),
        ("layer/lstm", "trace", struct.pack("<Q", 2**40) + b"{}"),
        ("layer/lstm", "trace", struct.pack("<Q", 100_000) + b"[" * 100_000),
        ("layer/lstm", "trace", pack({"input": np.zeros((3, 2), np.float32)}, {})),
        ("layer/lstm", "statistics", b'{"step": 1, "values": [1]}'),
    ],
    ids=lambda payload: f"{payload[1]}-{payload[2][:24]!r}",
)
def test_a_record_that_makes_no_sense_is_told_and_passed_over(payload: tuple[str, str, bytes], tmp_path: Path) -> None:
    run = ls.open_run(made(tmp_path / "run", payload, ("scalars", "scalars", GOOD[2].replace(b"[1,", b"[2,"))))
    assert len(run.problems) == 1
    assert len(str(run.problems[0])) < 1000
    assert run.scalars["loss"][1][-1] == 0.5
    assert run.steps == []


@pytest.mark.parametrize(
    "block",
    [
        claims("input", "F32", [2**40, 2**20], [0, 16]),
        claims("input", "F32", [2, 2], [0, 2**60]),
        claims("input", "I64", [2, 1], [0, 16]),
        claims("input", "BF16", [4, 2], [0, 16]),
        claims("input", "F32", [4], [0, 16]),
        claims("other", "F32", [2, 2], [0, 16]),
    ],
    ids=["huge shape", "huge offset", "int64", "bfloat16", "one axis", "no input"],
)
def test_a_trace_that_claims_the_impossible(block: bytes, tmp_path: Path) -> None:
    run = ls.open_run(made(tmp_path / "run", ("layer/lstm", "trace", block), GOOD))
    assert run.steps == [7]
    with pytest.raises(ls.RunError) as told:
        run.trace(7)
    assert len(str(told.value)) < 1000


@pytest.mark.parametrize(
    "text",
    ["", "[" * 200_000, "{}", '{"format": 2}', "[1]", '{"format": ' + "9" * 500_000 + "}", " " * (LARGEST_JSON + 5)],
    ids=["empty", "deep", "nothing", "later", "list", "long", "endless"],
)
def test_a_run_file_that_makes_no_sense(text: str, copied: Path) -> None:
    (copied / "run.json").write_text(text)
    with pytest.raises(ls.RunError) as told:
        ls.open_run(copied)
    assert len(str(told.value)) < 1000


def test_there_is_an_end_to_the_names_that_are_kept(tmp_path: Path) -> None:
    many = b'{"rows": [[1, 0, {' + b",".join(b'"%d":1' % number for number in range(20_000)) + b"}]]}"
    run = ls.open_run(made(tmp_path / "run", GOOD, ("scalars", "scalars", many), GOOD))
    assert len(run.scalars) == 10_000
    assert run.scalars["loss"][1][-1] == 0.5
    assert ["more than 10000 names" in str(problem) for problem in run.problems] == [True]


@pytest.mark.parametrize("opcode", [1, 2, 5, 7, 14, 15])
def test_a_chunk_that_is_called_something_else_is_damaged(opcode: int, copied: Path) -> None:
    whole = records(segment(copied))
    raw = bytearray(segment(copied).read_bytes())
    raw[whole[3].offset] = opcode
    segment(copied).write_bytes(raw)
    tail = Tail(segment(copied))
    assert list(all_of(tail)) == [*whole[:3], *whole[4:]]
    assert len(tail.problems) == 1


def test_a_folder_that_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(ls.RunError, match="not a run"):
        ls.open_run(tmp_path)
    with pytest.raises(ls.RunError, match="not a run"):
        ls.open_run(tmp_path / "nowhere")


@pytest.mark.skipif(os.name != "posix", reason="links and pipes of POSIX")
@pytest.mark.parametrize("what", ["run.json", "segment", "rank", "pipe", "run.json pipe"])
@pytest.mark.timeout(20)
def test_nothing_outside_the_folder_is_read(what: str, copied: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    target = {"run.json": copied / "run.json", "segment": segment(copied), "rank": copied / "rank00000"}.get(what)
    if target is not None:
        shutil.move(target, outside)
        target.symlink_to(outside)
    else:
        pipe = segment(copied) if what == "pipe" else copied / "run.json"
        pipe.unlink()
        os.mkfifo(pipe)
    if what.startswith("run.json"):
        with pytest.raises(ls.RunError, match="cannot be read"):
            ls.open_run(copied)
        return
    run = ls.open_run(copied, rank=0)
    assert not run.scalars
    assert len(run.problems) == 1


def test_a_layer_whose_name_is_a_path_leads_nowhere(tmp_path: Path) -> None:
    about = {"format": 1, "layers": [{"path": "../../etc/passwd"}, {"path": 5}, "x", None]}
    run = ls.open_run(made(tmp_path / "run", GOOD, about=about))
    assert run.layers == ["../../etc/passwd"]
    assert run.steps == []


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", ["zeros", "chunks that begin everywhere", "chunks in chunks", "hole"])
def test_a_file_made_to_keep_the_reader_busy(kind: str, tmp_path: Path) -> None:
    folder = made(tmp_path / "run", GOOD)
    size = 8 * 2**20
    if kind == "zeros":
        more = b"\0" * size
    elif kind == "chunks that begin everywhere":
        more = (b"\x06" + b"\x01" * 5 + b"\0" * 43) * (size // 49)
    elif kind == "chunks in chunks":
        # Each claims to reach almost to the end, and its checksum is wrong.
        heads = [
            CHUNK_HEAD.pack(6, inside + 40, 0, 0, inside, 1, 0, inside)
            for inside in range(size - 200_000, size - 270_000, -1)
        ]
        more = b"\x06" + b"".join(heads) + b"\0" * size
    else:
        more = b""
    with segment(folder).open("ab") as file:
        file.write(more)
        if kind == "hole":
            file.truncate(2**40)
    run = ls.open_run(folder)
    if kind == "hole":
        assert any("larger than any segment" in str(problem) for problem in run.problems)
    else:
        assert list(run.scalars["loss"][1]) == [0.5]


def test_a_chunk_that_names_its_channel_too_late_is_damaged(tmp_path: Path) -> None:
    begin = introduction(Line("scalars", "scalars"), 1)
    inside = struct.pack("<BQHIQQ", 5, 24, 9, 0, 0, 0) + b"{}" + begin
    front = CHUNK_HEAD.pack(6, 40 + len(inside), 0, 0, len(inside), zlib.crc32(inside), 0, len(inside))
    path = tmp_path / "000001.mcap"
    path.write_bytes(MAGIC + front + inside)
    tail = Tail(path)
    assert not list(all_of(tail))
    assert len(tail.problems) == 1


def test_a_run_is_read_without_torch(recorded: Path) -> None:
    code = "import sys, lstm_studio as ls; ls.open_run(sys.argv[1]).trace(0); print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code, str(recorded)], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.stdout.strip() == "False", done.stderr

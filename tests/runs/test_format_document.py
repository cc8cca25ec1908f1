"""docs/run-format.md beside what is written: every key, event, name and file has to be in it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

import lstm_studio as ls
from lstm_studio.cli import run as run_command
from lstm_studio.runs import curves, format, reader  # noqa: A004 - the module is called so
from lstm_studio.runs.reader import Run
from lstm_studio.runs.tail import Tail
from lstm_studio.sequences.tensors import texts_of
from lstm_studio.training.control import Wish, ask

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "run-format.md").read_text("utf-8")
# What is written as code, in one piece.
CODE = re.findall(r"`([^`]+)`", re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL))
WORDS = {word for piece in CODE for word in re.findall(r"[\w.]+", piece)}


def rows() -> dict[str, str]:
    """Return the rows of the tables: what the first column names → the rest of the row."""
    found: dict[str, str] = {}
    for line in TEXT.splitlines():
        if line.startswith("|") and line.count("|") >= 3:
            first, rest = line.strip("|").split("|", 1)
            found |= {name: found.get(name, "") + rest for name in re.findall(r"`([^`]+)`", first)}
    return found


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("recorded") / "mine"
    model = nn.LSTM(2, 3, 2, bidirectional=True)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    with ls.watch(model, folder, every=2, sequences=2, budget=0.9) as run:
        for _ in range(4):
            loss = model(torch.randn(600, 2, 2))[0].pow(2).mean()
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
            run.step(loss=loss)
    return ls.open_run(folder)


@pytest.fixture(scope="module", params=["task", "file", "text"])
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    place = tmp_path_factory.mktemp("trained")
    (place / "waves.csv").write_text("a,b\n" + "".join(f"{step % 7},{step % 5}\n" for step in range(200)))
    (place / "words.txt").write_text("the quick brown fox " * 20)
    what = {"task": "temporal-order", "file": str(place / "waves.csv"), "text": str(place / "words.txt")}
    options = ["--steps", "4", "--companion", "lstm", "--evaluate-every", "2", "--hidden", "3"]
    assert run_command(["train", what[request.param], "--run", str(place / "mine"), *options]) == 0
    ask(place / "mine", Wish.STOP)
    return ls.open_run(place / "mine")


def events() -> Iterator[tuple[str, frozenset[str]]]:
    """Yield of each event that the program writes its name and what else it is given."""
    for folder in ("runs", "training"):
        for path in (ROOT / "lstm_studio" / folder).rglob("*.py"):
            for call in ast.walk(ast.parse(path.read_text("utf-8"))):
                if not isinstance(call, ast.Call) or not call.args:
                    continue
                name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
                kind = call.args[0]
                if name in {"event", "_event"} and isinstance(kind, ast.Constant):
                    yield str(kind.value), frozenset(word.arg for word in call.keywords if word.arg)


def test_every_event_is_described_with_all_it_says() -> None:
    described = rows()
    found = dict(events())
    assert len(found) >= 10
    for kind, about in events():
        assert kind in described, kind
        named = set(re.findall(r"`([^`]+)`", described[kind]))
        assert about <= named, f"{kind}: {about - named}"


def test_every_key_of_a_run_is_described(recorded: Run, trained: Run) -> None:
    described = rows()
    for run in (recorded, trained):
        missing = run.info.keys() - described.keys() - {"training"}
        assert not missing
        for layer in run.info["layers"]:
            assert layer.keys() <= set(re.findall(r"`([^`]+)`", described["layers"]))
    assert set(recorded.info) >= {"format", "layers", "every", "budget"}


def test_every_key_of_a_training_is_described(trained: Run) -> None:
    described, training = rows(), trained.info["training"]
    assert training.keys() <= described.keys()
    for key in ("task", "chance"):
        assert training[key].keys() <= WORDS, key
    for network in training["networks"]:
        assert network.keys() <= set(re.findall(r"`([^`]+)`", described["networks"]))
    tested = next(event for event in trained.events if event["event"] == "tested")
    for score in (*tested["scores"].values(), tested["chance"]):
        assert score.keys() <= WORDS


def test_every_scalar_of_a_training_is_described(trained: Run) -> None:
    for name in trained.scalars:
        key, _, kind = name.partition(".")
        assert key in {"lstm", "lstm-2"}
        assert f"{{key}}.{kind}" in CODE, name


def test_every_array_of_a_trace_is_described(recorded: Run, trained: Run) -> None:
    for run in (recorded, trained):
        trace = run.trace(run.steps[-1])
        signals = {f"{layer.prefix}.{signal.name}" for layer in trace.layers for signal in layer.signals}
        weights = {f"norm.grad.{layer.prefix}.weights" for layer in trace.layers}
        assert "`norm.grad.{layer}.weights`" in TEXT
        for name in set(trace.names) - signals - weights:
            if name.endswith("input"):
                assert name in WORDS
            else:
                prefix = "norm.grad." if name.startswith("norm.grad.") else "grad."
                assert f"`{prefix}{{signal}}`" in TEXT
                assert name.removeprefix(prefix).removesuffix(".preactivation") in signals, name


def test_every_statistic_and_norm_is_described(recorded: Run, trained: Run) -> None:
    for run in (recorded, trained):
        trace = run.trace(run.steps[-1])
        signals = [f"{layer.prefix}.{signal.name}" for layer in trace.layers for signal in layer.signals]
        for name in run.statistics:
            # The longest signal, layer or module that the name begins with.
            layers = [layer.prefix for layer in trace.layers]
            begins = [one for one in (*signals, *layers, *run.layers) if name.startswith(f"{one}.")]
            end = name.removeprefix(max(begins, key=len))
            number = re.fullmatch(r"\.quantile_(\d+)", end)
            assert any(piece.endswith(end) for piece in CODE) or (number and number[1] in CODE), name
        for name in run.parameters:
            assert any(piece.endswith(f".{name.rpartition('.')[2]}") for piece in CODE), name


def test_every_record_is_described(recorded: Run, trained: Run) -> None:
    described = rows()
    for run in (recorded, trained):
        for path in sorted((run.folder or Path()).rglob("*.mcap")):
            segment = Tail(path)
            while records := segment.read():
                for one in records:
                    topic = re.sub("^layer/.*", "layer/{path}", one.line.topic)
                    assert one.line.schema in described[topic]
                    assert one.line.encoding in described[topic]
                    if one.line.encoding == "json":
                        assert reader._json(one.payload).keys() <= WORDS
                    else:
                        assert texts_of(one.payload).keys() <= WORDS


def test_every_file_is_described(recorded: Run, trained: Run) -> None:
    for run in (recorded, trained):
        assert run.folder is not None
        for path in run.folder.rglob("*"):
            name = path.relative_to(run.folder).as_posix()
            plain = re.sub(r"^rank\d{5}", "rank00000", name)
            plain = re.sub(r"^snapshots/\d{8,}/.*", "snapshots/{update:08d}/{key}.safetensors", plain)
            plain = re.sub(r"^snapshots/\d{8,}$", "snapshots/{update:08d}/", plain)
            assert plain in TEXT, name


def test_every_limit_is_as_it_is_said() -> None:
    text = re.sub(r"\s+", " ", TEXT)
    mega = 2**20
    assert f"{format.LARGEST_RECORD // mega} MB a chunk" in text
    assert f"{format.LARGEST_JSON // mega} MB a JSON record" in text
    assert f"{reader._LARGEST_TRACE_HEADER // mega} MB the header of a trace" in text
    assert f"{format.LARGEST_SEGMENT // 2**30} GB a segment" in text
    assert f"{curves.MOST_NAMES:,} names of numbers with {curves._LONGEST_NAME:,} characters each" in text
    assert (curves.MOST_NUMBERS, reader._MOST_TRACES) == (2**25, 2**20)
    assert "2²⁵ numbers of each kind" in text
    assert f"{reader._MOST_LAGS:,} lags, 2²⁰ traces" in text
    assert f"more than {reader._MOST_EVENTS:,} events, or {reader._MOST_EVENT_BYTES // mega} MB" in text
    assert f"A segment that is longer than {format.SEGMENT_BYTES // mega} MB" in text
    assert f"every {format.HEARTBEAT_SECONDS:g} seconds" in text
    assert f"silent for {format.SILENT_SECONDS:g} seconds" in text
    assert f"Of more than {format.MOST_LAGS} lags" in text

"""Odd arguments of everything that the library offers: each is taken as what it means, or refused by its name."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch

import lstm_studio as ls
from lstm_studio.engine.jacobians import memory_curves
from lstm_studio.engine.lyapunov import lyapunov_exponents
from lstm_studio.engine.search import Pattern, SignalIndex, pattern_of

ODD: dict[str, Any] = {
    "None": None,
    "True": True,
    "-1": -1,
    "0.5": 0.5,
    "NaN": float("nan"),
    "inf": float("inf"),
    "10**30": 10**30,
    "'a'": "a",
    "''": "",
    "zero byte": "a\0b",
    "long text": "x" * 5000,
    "bytes": b"a",
    "[]": [],
    "['a']": ["a"],
    "{}": {},
    "{1}": {1},
    "(1, 2)": (1, 2),
    "object": object(),
    "type": np.float32,
    "dtype": torch.float32,
    "array": np.zeros(3),
    "tensor": torch.zeros(3),
    "0-d tensor": torch.tensor(1),
    "complex": 1j,
}

SIGNAL = "lstm.0.hidden_state"


def x() -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def traced() -> ls.Trace:
    return ls.trace(ls.new_network("lstm", 3, 4), x())


def refused(call: Callable[[Any], object], name: str, taken: Collection[str]) -> None:
    """Pass each odd value to ``call``: those in ``taken`` work, all others are refused in one line with the name."""
    for title, value in ODD.items():
        if title in taken:
            call(value)
            continue
        with pytest.raises(ls.StudioError) as raised:
            call(value)
        message = str(raised.value)
        assert re.search(rf"\b{re.escape(name)}\b", message), f"{name}={title}: {message}"
        assert raised.value.cure, f"{name}={title}: {message}"
        assert len(message) < 1000, f"{name}={title}: {len(message)} characters"
        assert "\n" not in message, f"{name}={title}: {message}"


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("item", ()),
        ("gradients", {"True"}),
        ("memory", {"True"}),
        ("objective", {"None", "type"}),
        ("device", ()),
        ("dtype", ()),
    ],
)
@pytest.mark.parametrize("inside", [False, True])
def test_a_trace(name: str, taken: Collection[str], inside: bool) -> None:
    network: Any = torch.nn.Sequential(torch.nn.LSTM(3, 4)) if inside else ls.new_network("lstm", 3, 4)

    def call(value: Any) -> None:
        # A type is called as any function is; what that raises is its own.
        if not (name == "objective" and isinstance(value, type)):
            ls.trace(network, x(), **{name: value})

    refused(call, name, taken)


def test_numbers_of_numpy_and_devices_of_pytorch_are_taken() -> None:
    module = torch.nn.LSTM(3, 4)
    batch = np.stack([x(), x() + 1], axis=1)
    arguments: dict[str, Any] = {"item": np.int64(1), "gradients": np.True_, "device": torch.device("cpu")}
    found = ls.trace(module, batch, **arguments)
    np.testing.assert_array_equal(found[SIGNAL], ls.trace(module, batch, item=1, device="cpu")[SIGNAL])
    sizes: tuple[Any, ...] = (np.int64(3), np.int32(4), np.uint8(2), np.int64(7))
    network = ls.new_network("lstm", *sizes, bidirectional=cast(Any, np.True_))
    assert network.fingerprint == ls.new_network("lstm", 3, 4, 2, 7, bidirectional=True).fingerprint
    held: Any = {"lstm.0.forget_gate": {np.int64(1): np.float32(0.5)}}
    branch = ls.resume(ls.trace(module, x()), cast(Any, np.int64(2)), clamp=held)
    np.testing.assert_array_equal(branch["lstm.0.forget_gate"][2:, 1], 0.5)
    assert ls.new_network("tdnn", 3, 4, window=np.int64(2)).sizes.hidden_size == 4


@pytest.mark.parametrize("text", ["hidden", "hidden:a:b", "hidden:5", "loss", "", "target:1"])
@pytest.mark.parametrize("gradients", [False, True])
def test_a_trace_with_an_objective_that_there_is_not(text: str, gradients: bool) -> None:
    with pytest.raises(ls.TraceError, match="objective"):
        ls.trace(torch.nn.LSTM(3, 4), x(), objective=text, gradients=gradients)


def test_a_network_and_a_sequence_that_are_none() -> None:
    refused(lambda value: ls.trace(value, x()), "network", ())
    for model in (torch.nn.LSTM(3, 4), torch.nn.Sequential(torch.nn.LSTM(3, 4))):
        for title, value in ODD.items():
            if title not in {"array", "tensor"}:
                with pytest.raises(ls.TraceError, match=r"[Ss]equence"):
                    ls.trace(model, value)


@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn"])
def test_what_follows_the_sequence(kind: str) -> None:
    module = ls.new_network(kind, 3, 4).module
    for title, value in ODD.items():
        if title != "None":
            with pytest.raises(ls.TraceError, match=r"^The initial states of .*(LSTM|GRU|RNN) are .* Give a"):
                ls.trace(module, x(), value)
    with pytest.raises(ls.TraceError, match="2 inputs follow"):
        ls.trace(module, x(), None, None)
    with pytest.raises(ls.TraceError, match="takes the sequence only"):
        ls.trace(ls.new_network(kind, 3, 4, outputs=2), x(), torch.zeros(1, 4))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("batch", [(), (2,)])
def test_initial_states_that_follow_the_sequence(batch: tuple[int, ...], dtype: str) -> None:
    module = torch.nn.LSTM(3, 4, num_layers=2)
    inputs = torch.randn(6, *batch, 3)
    states = (torch.rand(2, *batch, 4), torch.rand(2, *batch, 4))
    found = ls.trace(module, inputs, states, dtype=dtype)
    with torch.no_grad():
        expected = module(inputs, states)[0]
    expected = expected if not batch else expected[:, 0]
    np.testing.assert_allclose(found["lstm.1.hidden_state"], expected.numpy(), atol=1e-5)
    first = states[1][0] if not batch else states[1][0, 0]
    kept = found["lstm.0.forget_gate"][0] * first.numpy()
    np.testing.assert_allclose(found["lstm.0.retained"][0], kept, rtol=1e-5)
    with pytest.raises(ls.TraceError, match=rf"are {dtype} of \(2, .*4\) and {dtype} of \(1, .*4\)\."):
        ls.trace(module, inputs, (states[0], states[1][:1]), dtype=dtype)


SIZES = ("input_size", "hidden_size", "layers", "seed", "outputs")
OF_A_KIND = [
    ("lstm", "proj_size", ()),
    ("lstm", "forget_bias", {"None", "-1", "0.5"}),
    ("rnn", "nonlinearity", ()),
    ("rnn", "initial", ()),
    ("lstm-1997", "block_size", ()),
    ("lstm-1997", "gate_recurrence", {"True"}),
    ("tdnn", "window", ()),
    ("tdnn", "nonlinearity", ()),
    ("feedforward", "nonlinearity", ()),
]


@pytest.mark.parametrize("kind", ["lstm", "rnn", "gru", "lstm-article", "lstm-1997", "tdnn", "feedforward"])
@pytest.mark.parametrize("name", [*SIZES, "bidirectional", "bias", "readout", "kind"])
def test_a_new_network(kind: str, name: str) -> None:
    usual: dict[str, Any] = {"kind": kind, "input_size": 3, "hidden_size": 4}
    taken = {"True"} if name in {"bidirectional", "bias"} else ()

    refused(lambda value: ls.new_network(**{**usual, name: value}), name, taken)


@pytest.mark.parametrize(("kind", "name", "taken"), OF_A_KIND)
def test_the_options_of_a_kind(kind: str, name: str, taken: Collection[str]) -> None:
    refused(lambda value: ls.new_network(kind, 3, 4, **{name: value}), name, taken)


UNITS = {"lstm.0.forget_gate": {1: 1.0}}
RESUMED: list[tuple[str, Callable[[ls.Trace, Any], object], Collection[str]]] = [
    ("trace", lambda _, value: ls.resume(value, 1), ()),
    ("at", ls.resume, ()),
    ("until", lambda trace, value: ls.resume(trace, 1, until=value), {"None", "10**30"}),
    ("network", lambda trace, value: ls.resume(trace, 1, network=value), {"None"}),
    ("gradients", lambda trace, value: ls.resume(trace, 1, gradients=value), {"True"}),
    ("objective", lambda trace, value: ls.resume(trace, 1, objective=value), {"None", "type"}),
    ("clamp", lambda trace, value: ls.resume(trace, 1, clamp=value), {"None", "{}"}),
    ("lstm.0.forget_gate", lambda trace, value: ls.resume(trace, 1, clamp={"lstm.0.forget_gate": value}), {"{}"}),
    (
        "unit 1 of lstm.0.forget_gate",
        lambda trace, value: ls.resume(trace, 1, clamp={"lstm.0.forget_gate": {1: value}}),
        {"-1", "0.5", "NaN", "inf", "10**30"},
    ),
    ("ablate", lambda trace, value: ls.resume(trace, 1, ablate=value), {"None", "{}"}),
    ("lstm.0", lambda trace, value: ls.resume(trace, 1, ablate={"lstm.0": value}), {"[]", "{}", "{1}", "(1, 2)"}),
    ("lstm.0", lambda trace, value: ls.resume(trace, 1, ablate={"lstm.0": [value]}), ()),
    ("events", lambda trace, value: ls.resume(trace, 1, events=value), {"None", "{}"}),
    ("step 2", lambda trace, value: ls.resume(trace, 1, events={2: value}), {"{}", "array", "tensor"}),
    (
        "feature 1 at step 2",
        lambda trace, value: ls.resume(trace, 1, events={2: {1: value}}),
        {"-1", "0.5", "NaN", "inf", "10**30"},
    ),
]


@pytest.mark.parametrize("row", range(len(RESUMED)))
def test_a_trace_that_is_resumed(traced: ls.Trace, row: int) -> None:
    name, call, taken = RESUMED[row]
    refused(lambda value: call(traced, value), name, taken)


def test_units_and_features_that_are_no_numbers(traced: ls.Trace) -> None:
    for title in ("None", "True", "-1", "0.5", "NaN", "10**30", "'a'", "(1, 2)"):
        with pytest.raises(ls.TraceError, match=r"lstm\.0\.forget_gate has no unit"):
            ls.resume(traced, 1, clamp={"lstm.0.forget_gate": {ODD[title]: 1.0}})
        with pytest.raises(ls.TraceError, match="An event has no feature"):
            ls.resume(traced, 1, events={2: {ODD[title]: 1.0}})
        with pytest.raises(ls.TraceError, match="The event at step"):
            ls.resume(traced, 3, events={ODD[title]: {1: 1.0}})


SEARCHED: list[tuple[str, Callable[[ls.Trace, Any], object], Collection[str]]] = [
    ("traces", lambda _, value: SignalIndex(value, SIGNAL, 0.0), ()),
    ("traces[1", lambda trace, value: SignalIndex([trace, value], SIGNAL, 0.0), ()),
    ("threshold", lambda trace, value: SignalIndex([trace], SIGNAL, value), {"-1", "0.5", "NaN", "inf", "10**30"}),
    ("pattern", lambda trace, value: SignalIndex([trace], SIGNAL, 0.0).find(value), ()),
    ("count", lambda trace, value: SignalIndex([trace], SIGNAL, 0.0).find(Pattern((0,)), value), {"10**30"}),
    ("length", lambda trace, value: SignalIndex([trace], SIGNAL, 0.0).find(Pattern((0,), (), value)), {"10**30"}),
    ("margin", lambda trace, value: SignalIndex([trace], SIGNAL, 0.0).find(Pattern((0,), (), 1, value)), ()),
    ("trace", lambda _, value: pattern_of(value, SIGNAL, 1, 3, 0.0), ()),
    ("start", lambda trace, value: pattern_of(trace, SIGNAL, value, 3, 0.0), ()),
    ("stop", lambda trace, value: pattern_of(trace, SIGNAL, 1, value, 0.0), ()),
    ("threshold", lambda trace, value: pattern_of(trace, SIGNAL, 1, 3, value), {"-1", "0.5", "NaN", "inf", "10**30"}),
    ("margin", lambda trace, value: pattern_of(trace, SIGNAL, 1, 3, 0.0, margin=value), ()),
    ("with_off", lambda trace, value: pattern_of(trace, SIGNAL, 1, 3, 0.0, with_off=value), {"True"}),
    ("trace", lambda _, value: memory_curves(value), ()),
    ("network", memory_curves, {"None"}),
    ("exact_units", lambda trace, value: memory_curves(trace, exact_units=value), {"10**30"}),
    ("trace", lambda _, value: lyapunov_exponents(value), ()),
    ("network", lyapunov_exponents, {"None"}),
    ("count", lambda trace, value: lyapunov_exponents(trace, count=value), {"10**30"}),
]


@pytest.mark.parametrize("row", range(len(SEARCHED)))
def test_a_search_and_a_memory(traced: ls.Trace, row: int) -> None:
    name, call, taken = SEARCHED[row]
    refused(lambda value: call(traced, value), name, taken)


def test_paths(tmp_path: Path, traced: ls.Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ways: tuple[Callable[[Any], object], ...] = (
        ls.open_network,
        ls.open_sequence,
        ls.open_run,
        ls.load_trace,
        traced.save,
        lambda value: ls.watch(torch.nn.LSTM(3, 4), value),
    )
    for way in ways:
        for title, value in ODD.items():
            # These are names of files, whatever is there.
            if title not in {"'a'", "''", "long text"}:
                with pytest.raises(ls.StudioError, match=r"^(path|folder) is "):
                    way(value)


WATCHED = [
    ("model", ()),
    ("every", {"10**30"}),
    ("sequences", {"10**30"}),
    ("ranks", ()),
    ("dtype", ()),
    ("scaler", {"None"}),
    ("budget", {"None", "0.5"}),
    ("segment", ()),
]


@pytest.mark.parametrize(("name", "taken"), WATCHED)
def test_a_training_that_is_watched(tmp_path: Path, name: str, taken: Collection[str]) -> None:
    numbers = iter(range(len(ODD)))

    def call(value: Any) -> None:
        usual: dict[str, Any] = {"model": torch.nn.LSTM(3, 4), "folder": tmp_path / str(next(numbers))}
        with ls.watch(**{**usual, name: value}):
            pass

    refused(call, name, taken)


def test_a_run_that_is_read(tmp_path: Path) -> None:
    module = torch.nn.LSTM(3, 4)
    with ls.watch(module, tmp_path, every=cast(Any, np.int64(1))) as run:
        module(torch.tensor(x()))[0].sum().backward()
        run.step(loss=1.0)
    refused(lambda value: ls.open_run(tmp_path, rank=value), "rank", {"None", "10**30"})
    opened = ls.open_run(tmp_path)
    assert opened.info["every"] == 1
    refused(opened.trace, "step", ())
    refused(lambda value: opened.trace(0, value), "item", ())


def test_a_network_that_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "network.pt"
    torch.save(ls.new_network("lstm", 3, 4, outputs=3).module.state_dict(), path)
    for name in ("recurrent", "readout", "kind"):
        taken = {"None", "''"} if name != "recurrent" else {"None"}
        own = {"recurrent": "recurrent", "readout": "read-?out", "kind": "kind"}[name]
        for title, value in ODD.items():
            if title in taken:
                ls.open_network(path, **{name: value})
                continue
            with pytest.raises(ls.NetworkError, match=own):
                ls.open_network(path, **{name: value})


MADE = [
    ("values", ()),
    ("names", ()),
    ("time", {"None"}),
    ("target", {"None", "True", "-1", "0.5", "NaN", "inf", "[]", "(1, 2)", "array", "tensor", "0-d tensor"}),
    ("name", {"'a'", "''", "zero byte", "long text"}),
    ("raw", {"None"}),
    ("encoding", ()),
    ("time_unit", {"'a'", "''", "zero byte", "long text"}),
]


@pytest.mark.parametrize(("name", "taken"), MADE)
def test_a_sequence(name: str, taken: Collection[str]) -> None:
    usual: dict[str, Any] = {"values": x(), "names": ("a", "b", "c")}
    taken = {*taken, "array", "tensor"} if name == "names" else taken

    def call(value: Any) -> None:
        sequence = ls.Sequence(**{**usual, name: value})
        ls.trace(ls.new_network("lstm", 3, 4), sequence)

    refused(call, name, taken)


def test_a_sequence_of_lists() -> None:
    names: Any = ["a", "b"]
    whole, ragged = cast(Any, [[1, 2], [3, 4]]), cast(Any, [[1, 2], [3]])
    sequence = ls.Sequence(whole, names)
    assert sequence.values.dtype == np.float32
    assert sequence.names == ("a", "b")
    with pytest.raises(ls.SequenceError, match=r"^values is \[\[1, 2\], \[3\]\]"):
        ls.Sequence(ragged, names)


def test_a_set_of_sequences() -> None:
    refused(ls.SequenceSet, "sequences", ())
    refused(lambda value: ls.SequenceSet((value,)), "sequences", ())


NETWORK = [
    ("module", ()),
    ("source", {"'a'", "''", "zero byte", "long text"}),
    ("readout_kind", {"''"}),
    ("path", {"''"}),
    ("readout_path", {"''"}),
]


@pytest.mark.parametrize(("name", "taken"), NETWORK)
def test_a_network(name: str, taken: Collection[str]) -> None:
    refused(lambda value: ls.Network(**{"module": torch.nn.LSTM(3, 4), name: value}), name, taken)

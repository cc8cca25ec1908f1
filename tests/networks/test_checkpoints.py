"""Checkpoints: what is recognised, and what is refused, without ever running what a file holds."""

from __future__ import annotations

import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from lstm_studio import NetworkError, new_network, open_network, trace
from lstm_studio.networks.checkpoints import open_for, save_network
from lstm_studio.networks.network import build
from lstm_studio.networks.spec import NetworkSpec


class Model(nn.Module):
    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.embed = nn.Embedding(9, 3)
        self.encoder = nn.ModuleDict({"rnn": nn.LSTM(3, 4, **options)})
        self.head = nn.Linear(4 * (2 if options.get("bidirectional") else 1), 5)


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".ckpt", ".safetensors", ".PT"])
@pytest.mark.parametrize(
    "module",
    [
        nn.LSTM(3, 4),
        nn.LSTM(3, 4, num_layers=3, bidirectional=True),
        nn.LSTM(3, 4, bias=False),
        nn.RNN(3, 4, num_layers=2),
        nn.GRU(3, 4, num_layers=2, bidirectional=True),
    ],
)
def test_a_bare_module_is_opened(tmp_path: Path, module: nn.RNNBase, suffix: str) -> None:
    path = tmp_path / f"weights{suffix}"
    if suffix == ".safetensors":
        save_file(module.state_dict(), path)
    else:
        torch.save(module.state_dict(), path)
    network = open_network(path)
    assert type(network.module) is type(module)
    assert network.source == str(path)
    x = np.ones((6, 3))
    opened, original = trace(network, x), trace(module, x)
    assert opened.names == original.names
    for name in opened.names:
        np.testing.assert_array_equal(opened[name], original[name])


@pytest.mark.parametrize("nested", [None, "state_dict", "model_state_dict", "net"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_recurrent_module_is_found_inside_a_model(tmp_path: Path, nested: str | None, bidirectional: bool) -> None:
    model = Model(bidirectional=bidirectional)
    weights: Any = model.state_dict()
    torch.save({nested: weights, "epoch": 3} if nested else weights, tmp_path / "m.pt")
    network = open_network(tmp_path / "m.pt")
    info = network.info()
    assert (info.input_size, info.hidden_size, info.outputs, info.bidirectional) == (3, 4, 5, bidirectional)
    assert network.layers[0].prefix == "encoder.rnn.0"
    assert network.readout_kind == "values"
    x = torch.ones(6, 3)
    with torch.no_grad():
        output = model.head(model.encoder["rnn"](x)[0])
    np.testing.assert_allclose(trace(network, x)["output"], output.numpy(), rtol=1e-5, atol=1e-6)
    assert open_network(tmp_path / "m.pt", readout="classes").readout_kind == "classes"


def test_a_lightning_checkpoint_is_opened(tmp_path: Path) -> None:
    model = Model()
    optimiser = torch.optim.Adam(model.parameters())
    content = {
        "epoch": 3,
        "global_step": 120,
        "pytorch-lightning_version": "2.5.0",
        "state_dict": {f"model.{name}": weight for name, weight in model.state_dict().items()},
        "loops": {"fit_loop": {"state_dict": {}, "epoch_progress": {"total": {"ready": 3}}}},
        "callbacks": {"ModelCheckpoint{'monitor': None}": {"best_model_score": torch.tensor(0.1)}},
        "optimizer_states": [optimiser.state_dict()],
        "lr_schedulers": [],
        "hparams_name": "kwargs",
        "hyper_parameters": {"hidden": 4},
    }
    torch.save(content, tmp_path / "epoch=3-step=120.ckpt")
    network = open_network(tmp_path / "epoch=3-step=120.ckpt")
    assert network.layers[0].prefix == "model.encoder.rnn.0"
    assert network.info().outputs == 5
    assert torch.equal(
        network.recurrent.get_parameter("weight_hh_l0"), model.encoder["rnn"].get_parameter("weight_hh_l0")
    )


@pytest.mark.parametrize("bias", [False, True])
def test_embeddings_as_wide_as_the_hidden_state_are_no_read_out(tmp_path: Path, bias: bool) -> None:
    model = nn.ModuleDict({"embed": nn.Embedding(9, 4), "lstm": nn.LSTM(4, 4), "head": nn.Linear(4, 9, bias=bias)})
    torch.save(model.state_dict(), tmp_path / "m.pt")
    network = open_network(tmp_path / "m.pt")
    assert network.readout_path == "head"
    assert network.readout is not None
    assert torch.equal(network.readout.weight, model["head"].get_parameter("weight"))
    del model["head"]
    torch.save(model.state_dict(), tmp_path / "m.pt")
    assert open_network(tmp_path / "m.pt").readout is None
    # Without a name that tells, a bias does.
    other = {"table.weight": torch.zeros(9, 4), "head.weight": torch.ones(9, 4), "head.bias": torch.zeros(9)}
    torch.save(nn.LSTM(4, 4).state_dict() | other, tmp_path / "m.pt")
    assert open_network(tmp_path / "m.pt").readout_path == "head"


def test_two_layers_after_another_are_no_plain_read_out(tmp_path: Path) -> None:
    model = nn.ModuleDict({"rnn": nn.RNN(3, 4), "hidden": nn.Linear(4, 6), "out": nn.Linear(6, 2)})
    torch.save(model.state_dict(), tmp_path / "m.pt")
    network = open_network(tmp_path / "m.pt")
    assert network.readout is None
    assert network.layers[0].prefix == "rnn.0"
    assert "rnn.0.hidden_state" in trace(network, np.ones((3, 3)))


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("lstm", {}),
        ("lstm", {"layers": 2, "bidirectional": True, "outputs": 3}),
        ("lstm", {"proj_size": 2, "outputs": 3, "readout": "values"}),
        ("rnn", {"nonlinearity": "relu"}),
        ("gru", {"layers": 2, "outputs": 3}),
        ("lstm-article", {"layers": 2, "bidirectional": True, "outputs": 3}),
        ("lstm-1997", {}),
        ("lstm-1997", {"block_size": 2, "outputs": 3, "bias": False}),
        ("lstm-1997", {"layers": 2, "block_size": 4, "gate_recurrence": True}),
        ("tdnn", {"layers": 2, "window": 3, "outputs": 2, "nonlinearity": "relu"}),
        ("feedforward", {"layers": 3, "outputs": 2}),
        ("feedforward", {"bias": False}),
        ("rnn", {"nonlinearity": "relu", "bias": False, "outputs": 1, "readout": "values"}),
    ],
)
def test_a_saved_network_is_opened_as_it_was(tmp_path: Path, kind: str, options: dict[str, Any]) -> None:
    network = new_network(kind, 3, 4, seed=5, **options)
    path = tmp_path / "n.safetensors"
    save_network(network, path)
    opened = build(NetworkSpec(checkpoint=str(path)), input_size=3)
    assert opened.fingerprint == network.fingerprint
    assert opened.readout_kind == network.readout_kind
    assert opened.cell.module_options(opened.recurrent) == network.cell.module_options(network.recurrent)
    assert opened.layers == network.layers


@pytest.mark.parametrize(
    ("kind", "options", "certain"),
    [
        ("lstm-article", {}, True),
        ("tdnn", {"window": 2}, True),
        ("lstm-1997", {"block_size": 2}, False),
        ("lstm-1997", {"gate_recurrence": True}, False),
        ("feedforward", {}, False),
    ],
)
def test_a_state_dict_of_an_own_kind_is_opened(
    tmp_path: Path, kind: str, options: dict[str, Any], *, certain: bool
) -> None:
    network = new_network(kind, 3, 4, layers=2, **options)
    torch.save(network.module.state_dict(), tmp_path / "m.pt")
    assert open_network(tmp_path / "m.pt", kind=kind).fingerprint == network.fingerprint
    if certain:
        assert open_network(tmp_path / "m.pt").kind == kind
    with pytest.raises(NetworkError):
        open_network(tmp_path / "m.pt", kind="lstm")


def test_what_tensors_do_not_tell_can_be_said(tmp_path: Path) -> None:
    torch.save(nn.RNN(2, 3, nonlinearity="relu").state_dict(), tmp_path / "m.pt")
    assert open_network(tmp_path / "m.pt").recurrent.nonlinearity == "tanh"
    assert open_network(tmp_path / "m.pt", nonlinearity="relu").recurrent.nonlinearity == "relu"


@pytest.mark.parametrize(
    ("stored", "expected"),
    [(torch.float64, torch.float64), (torch.float16, torch.float32), (torch.bfloat16, torch.float32)],
)
def test_precisions(tmp_path: Path, stored: torch.dtype, expected: torch.dtype) -> None:
    torch.save(nn.LSTM(2, 3).to(stored).state_dict(), tmp_path / "m.pt")
    network = open_network(tmp_path / "m.pt")
    assert {weight.dtype for weight in network.module.parameters()} == {expected}
    assert trace(network, np.ones((3, 2))).recovery_error < 1e-6


def test_several_modules_are_listed_and_one_can_be_chosen(tmp_path: Path) -> None:
    model = nn.ModuleDict({"encoder": nn.LSTM(3, 4), "decoder": nn.LSTM(4, 2)})
    torch.save(model.state_dict(), tmp_path / "m.pt")
    with pytest.raises(
        NetworkError, match=r"2 recurrent modules, encoder \(3 inputs, 16 rows.*decoder.*recurrent='encoder'"
    ):
        open_network(tmp_path / "m.pt")
    assert open_network(tmp_path / "m.pt", recurrent="decoder").input_size == 4
    with pytest.raises(NetworkError, match="no recurrent layers 'top'"):
        open_network(tmp_path / "m.pt", recurrent="top")


class Runs:
    """Pickles to a call that leaves a file behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.system, (f'echo ran > "{self.path}"',))


@pytest.mark.parametrize("legacy", [False, True])
def test_a_pickle_that_would_run_code_does_not(tmp_path: Path, legacy: bool) -> None:
    ran = tmp_path / "ran"
    hostile = {"weight_ih_l0": torch.zeros(4, 1), "x": Runs(ran)}
    torch.save(hostile, tmp_path / "m.pt", _use_new_zipfile_serialization=not legacy)
    with pytest.raises(NetworkError, match=r"refers to (posix|nt)\.system.*Nothing was run") as raised:
        open_network(tmp_path / "m.pt")
    assert "m.pt" in raised.value.found
    assert not ran.exists()


def test_a_file_made_to_fill_the_memory_does_not(tmp_path: Path) -> None:
    """One number shown as a terabyte of weights, and a megabyte of zeros packed into a kilobyte many times over."""
    torch.save({"weight_ih_l0": torch.zeros(1).expand(4 << 19, 1 << 19)}, tmp_path / "shown.pt")
    with zipfile.ZipFile(tmp_path / "packed.pt", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(20):
            archive.writestr(f"archive/data/{number}", bytes(1 << 20))
    for name in ("shown.pt", "packed.pt"):
        with pytest.raises(NetworkError, match=rf"{name} has \d+ bytes, and its tensors would take \d+"):
            open_network(tmp_path / name)


@pytest.mark.parametrize("cell", [nn.LSTMCell(3, 4), nn.GRUCell(3, 4, bias=False), nn.RNNCell(3, 4)])
def test_a_cell_is_opened_as_a_stack_of_one_layer(tmp_path: Path, cell: nn.RNNCellBase) -> None:
    class Looped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell, self.out = cell, nn.Linear(4, 2)

        def forward(self, x: Tensor) -> Tensor:
            states: Any = None
            hidden = []
            for event in x:
                states = self.cell(event, states)
                hidden.append(states[0] if isinstance(states, tuple) else states)
            output: Tensor = self.out(torch.stack(hidden))
            return output

    model = Looped()
    torch.save(model.state_dict(), tmp_path / "m.pt")
    network = open_network(tmp_path / "m.pt")
    x = torch.randn(6, 3)
    opened, original = trace(network, x), trace(model, x)
    assert network.readout_path == "out"
    for name in original.names:
        if name.startswith("cell.0."):
            np.testing.assert_allclose(opened[name], original[name], atol=1e-6)
    np.testing.assert_allclose(opened["output"], model(x).detach(), atol=1e-6)


def test_a_whole_model_is_refused_with_what_to_do(tmp_path: Path) -> None:
    torch.save(nn.LSTM(2, 3), tmp_path / "m.pt")
    with pytest.raises(NetworkError, match=r"refers to torch\.nn\.modules\.rnn\.LSTM") as raised:
        open_network(tmp_path / "m.pt")
    assert "torch.save(model.state_dict()" in raised.value.cure


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
@pytest.mark.parametrize("kept", [0, 1, 9, 200, 0.5, 0.98])
def test_a_truncated_file_is_damaged(tmp_path: Path, suffix: str, kept: float) -> None:
    path = tmp_path / f"m{suffix}"
    weights = nn.LSTM(3, 4).state_dict()
    if suffix == ".pt":
        torch.save(weights, path)
    else:
        save_file(weights, path)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept if kept >= 1 or kept == 0 else kept * len(content))])
    with pytest.raises(NetworkError, match=r"^m\.\w+ is (damaged|empty)"):
        open_network(path)


@pytest.mark.parametrize(
    "content",
    [
        b"not a checkpoint at all",
        b"\x80\x02}q\x00.",
        b"\x80\x05\x95",
        b"PK\x03\x04" + bytes(60),
        struct.pack("<Q", 2**62) + b"{}",
        struct.pack("<Q", 8) + b"{bad::::",
        struct.pack("<Q", 60) + b'{"a":{"dtype":"F32","shape":[9999999],"data_offsets":[0,4]}}' + bytes(4),
        bytes(range(256)) * 4,
    ],
)
@pytest.mark.parametrize("suffix", [".pt", ".pth", ".safetensors"])
def test_garbage_and_hostile_headers_get_one_message(tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"m{suffix}"
    path.write_bytes(content)
    with pytest.raises(NetworkError, match=r"^m\.\w+ (is damaged|holds no tensors|holds a)"):
        open_network(path)


def test_what_is_no_checkpoint_is_named(tmp_path: Path) -> None:
    (tmp_path / "m.bin").write_bytes(b"x")
    for path, message in (
        (tmp_path / "m.bin", r"ends in \.bin"),
        (tmp_path / f"{'long' * 1000}.pt", "[long]{4}… cannot be opened"),
        (tmp_path / "none.pt", "does not exist"),
        (tmp_path, "is a folder"),
    ):
        with pytest.raises(NetworkError, match=message):
            open_network(path)


def weights(**changes: Tensor | None) -> dict[str, Tensor]:
    """Return the weights of a bidirectional LSTM of two layers with some replaced, added or removed."""
    changed: dict[str, Tensor | None] = {**nn.LSTM(3, 4, 2, bidirectional=True).state_dict(), **changes}
    return {name: tensor for name, tensor in changed.items() if tensor is not None}


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (weights(weight_hh_l0=None), "lacks weight_hh_l0"),
        (weights(weight_hh_l1=None), "lacks weight_hh_l1"),
        (weights(bias_hh_l1_reverse=None), "lacks bias_hh_l1_reverse"),
        (weights(weight_hh_l3=torch.zeros(16, 4)), "lacks weight_ih_l2"),
        (weights(weight_ih_l9999=torch.zeros(16, 4)), "lacks weight_ih_l2"),
        (weights(weight_ih_l1=torch.zeros(16, 7)), r"weight_ih_l1 has shape \(16, 7\).*\(16, 8\) would"),
        (weights(weight_hh_l0=torch.zeros(15, 4)), "weight_hh_l0 has 15 rows for 4 units"),
        (weights(bias_ih_l0=torch.zeros(15)), r"bias_ih_l0 has shape \(15,\)"),
        (weights(bias_ih_l0=torch.zeros(16, 1)), "bias_ih_l0 has 2 axes"),
        (weights(weight_hr_l1=torch.zeros(2, 4)), "weight_hr_l1 has no place"),
        (weights(weight_ih_l0=torch.zeros(16, 0)), r"weight_ih_l0 is float32 of shape \(16, 0\)"),
        (weights(weight_ih_l0=torch.zeros(16, 3, dtype=torch.int8)), "weight_ih_l0 is int8"),
        (weights(weight_ih_l0=torch.zeros(16, 3).to_sparse()), "weight_ih_l0 is sparse, float32"),
        (weights(weight_ih_l0=torch.zeros(16, 3, device="meta")), "weight_ih_l0 is without numbers, float32"),
        (
            {f"rnn.{name}": tensor for name, tensor in weight_norm(nn.LSTM(3, 4), "weight_hh_l0").state_dict().items()},
            r"what rnn\.weight_hh_l0 is computed from",
        ),
        (dict(weight_norm(nn.GRU(3, 4), "weight_hh_l0").state_dict()), "what weight_hh_l0 is computed from"),
        (weights(weight_ih_l0=torch.full((16, 3), torch.nan)), "weight_ih_l0 has 48 of 48 weights that are NaN"),
        (weights(weight_hh_l1=torch.full((16, 4), torch.inf)), "weight_hh_l1 has 64 of 64"),
        (weights(weight_hh_l0=torch.zeros(20, 4)), "weight_hh_l0 has 20 rows for 4 units"),
        (dict(nn.Linear(3, 4).state_dict()), r"no recurrent layers: .*it has weight, bias"),
        ({f"forward.{name}": tensor for name, tensor in weights().items()}, "no module under the name 'forward'"),
        ({f"a..b.{name}": tensor for name, tensor in weights().items()}, r"no module under the name 'a\.\.b'"),
        (
            {f"rnn.{name}": tensor for name, tensor in nn.RNN(3, 4).state_dict().items()}
            | {"out.weight": torch.zeros(2, 4), "out.bias": torch.zeros(3)},
            r"out\.bias has shape \(3,\)",
        ),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, state: dict[str, Tensor], message: str) -> None:
    torch.save(state, tmp_path / "m.pt")
    with pytest.raises(NetworkError, match=message) as raised:
        open_network(tmp_path / "m.pt")
    assert raised.value.cure


@pytest.mark.parametrize("content", [3, [torch.zeros(2)], {}, {"a": 1}, torch.zeros(3)])
def test_what_is_no_state_dict_is_named(tmp_path: Path, content: Any) -> None:
    torch.save(content, tmp_path / "m.pt")
    with pytest.raises(NetworkError, match=r"holds (a|no)"):
        open_network(tmp_path / "m.pt")


def test_networks_are_saved_as_safetensors_only(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match=r"does not end in \.safetensors"):
        save_network(new_network("rnn", 2, 3), tmp_path / "n.pt")
    with pytest.raises(NetworkError, match="could not be written"):
        save_network(new_network("rnn", 2, 3), tmp_path / "none" / "n.safetensors")


def test_as_many_outputs_as_classes_score_them_unless_the_file_says_what_else_they_mean(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = nn.ModuleDict({"rnn": nn.GRU(3, 4), "head": nn.Linear(4, 5)})
    silent, told = tmp_path / "silent.pt", tmp_path / "told.safetensors"
    torch.save(model.state_dict(), silent)
    save_network(new_network("gru", 3, 4, outputs=5, readout="values"), told)
    assert [open_for(silent, classes).readout_kind for classes in (0, 4, 5, 6)] == [
        "values",
        "values",
        "classes",
        "values",
    ]
    assert open_for(told, 5).readout_kind == "values"
    save_network(new_network("gru", 3, 4, outputs=5, readout="classes"), told)
    assert open_for(told, 7).readout_kind == "classes"
    bare = tmp_path / "bare.pt"
    torch.save(nn.GRU(3, 4).state_dict(), bare)
    assert open_for(bare, 5).readout_kind == ""
    one = tmp_path / "one.pt"
    torch.save(nn.ModuleDict({"rnn": nn.GRU(3, 4), "head": nn.Linear(4, 1)}).state_dict(), one)
    assert open_for(one, 1).readout_kind == "values"


def optimiser_after_a_step(model: nn.Module) -> dict[str, Any]:
    optimiser = torch.optim.Adam(model.parameters())
    for weight in model.parameters():
        weight.grad = torch.ones_like(weight)
    optimiser.step()
    return optimiser.state_dict()


@pytest.mark.parametrize(
    "around",
    [
        lambda weights, optimiser: {"model": weights, "optimizer": optimiser, "step": torch.tensor(3)},
        lambda weights, optimiser: {"state": {"model": weights, "optimizer": optimiser}, "epoch": 3},
        lambda weights, optimiser: {"a": {"b": {"state_dict": weights}}, "mean": {"of": torch.zeros(3)}},
    ],
    ids=["beside a tensor", "with its optimiser", "deep"],
)
def test_weights_are_found_beside_what_else_was_saved(tmp_path: Path, around: Callable[[Any, Any], Any]) -> None:
    model = Model()
    torch.save(around(model.state_dict(), optimiser_after_a_step(model)), tmp_path / "m.pt")
    network = open_network(tmp_path / "m.pt")
    assert network.layers[0].prefix == "encoder.rnn.0"
    assert network.info().outputs == 5


def test_several_state_dicts_are_told_apart(tmp_path: Path) -> None:
    one, two = nn.LSTM(3, 4), nn.LSTM(3, 4)
    torch.save(
        {
            "model": {"rnn." + name: weight for name, weight in one.state_dict().items()},
            "ema": {"rnn." + name: weight for name, weight in two.state_dict().items()},
        },
        tmp_path / "m.pt",
    )
    with pytest.raises(NetworkError, match=r"2 recurrent modules, model\.rnn .*, ema\.rnn "):
        open_network(tmp_path / "m.pt")
    chosen = open_network(tmp_path / "m.pt", recurrent="ema.rnn")
    assert torch.equal(chosen.recurrent.get_parameter("weight_hh_l0"), two.get_parameter("weight_hh_l0"))


def test_an_optimiser_alone_has_no_recurrent_layers(tmp_path: Path) -> None:
    torch.save(optimiser_after_a_step(Model()), tmp_path / "m.pt")
    with pytest.raises(NetworkError, match=r"has no recurrent layers: .*it has state\.0\.step, state\.0\.exp_avg"):
        open_network(tmp_path / "m.pt")


def test_what_holds_itself_ends(tmp_path: Path) -> None:
    around: dict[str, Any] = {"model": nn.LSTM(3, 4).state_dict()}
    for number in range(50):
        around[f"itself{number}"] = around
    torch.save(around, tmp_path / "m.pt")
    assert open_network(tmp_path / "m.pt").kind == "lstm"


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_one_part_of_a_checkpoint_stands_for_all(tmp_path: Path, suffix: str) -> None:
    model = Model(bidirectional=True)
    weights = list(model.state_dict().items())
    names = [f"model-{number:05}-of-00003{suffix}" for number in (1, 2, 3)]
    for name, part in zip(names, (weights[:3], weights[3:9], weights[9:]), strict=True):
        save: Any = save_file if suffix == ".safetensors" else torch.save
        save(dict(part), tmp_path / name)
    for name in names:
        network = open_network(tmp_path / name)
        assert (network.sizes.bidirectional, network.info().outputs) == (True, 5)
        found = network.module.state_dict()
        assert all(torch.equal(found[name], weight) for name, weight in weights if name in found)
    (tmp_path / names[1]).unlink()
    with pytest.raises(NetworkError, match=rf"one of 3 parts of a checkpoint, and {names[1]} is not beside it"):
        open_network(tmp_path / names[0])
    huge = tmp_path / f"model-00001-of-99999{suffix}"
    huge.write_bytes((tmp_path / names[0]).read_bytes())
    with pytest.raises(NetworkError, match="one of 99999 parts"):
        open_network(huge)


def test_a_series_of_whole_checkpoints_is_no_whole_of_parts(tmp_path: Path) -> None:
    modules = [nn.LSTM(3, 4), nn.LSTM(3, 4)]
    for number, module in enumerate(modules, 1):
        torch.save(module.state_dict(), tmp_path / f"epoch-{number:05}-of-00002.pt")
    for number, module in enumerate(modules, 1):
        found = open_network(tmp_path / f"epoch-{number:05}-of-00002.pt").recurrent
        assert torch.equal(found.get_parameter("weight_hh_l0"), module.get_parameter("weight_hh_l0"))


def test_a_text_is_no_pytorch_file_and_no_number_says_why(tmp_path: Path) -> None:
    path = tmp_path / "note.pt"
    path.write_text("hello", "utf-8")
    with pytest.raises(NetworkError) as caught:
        open_network(path)
    assert caught.value.found == "note.pt is damaged or not a PyTorch file."


@pytest.mark.parametrize(("mark", "place", "value"), [(b"PK\1\2", 6, 114), (b"PK\6\7", 16, 2)])
def test_an_archive_of_another_kind_is_damaged(tmp_path: Path, mark: bytes, place: int, value: int) -> None:
    """Of a version that nobody reads, or spread over several disks."""
    torch.save(nn.LSTM(3, 4).state_dict(), tmp_path / "m.pt")
    content = bytearray((tmp_path / "m.pt").read_bytes())
    assert mark in content
    content[content.rfind(mark) + place] = value
    (tmp_path / "m.pt").write_bytes(content)
    with pytest.raises(NetworkError, match=r"^m\.pt is damaged"):
        open_network(tmp_path / "m.pt")

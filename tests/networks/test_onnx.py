"""ONNX: the cells against ONNX Runtime's own operators, and graphs read back."""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime  # type: ignore[import-untyped]  # it brings no types
import pytest
import torch
from numpy.typing import NDArray
from onnx import AttributeProto, TensorProto, helper, numpy_helper
from torch import nn

from lstm_studio import NetworkError, open_network, trace
from lstm_studio.networks.network import Network

Array = NDArray[Any]

# The operators' order of gates, as places in PyTorch's: iofc from ifgo, and zrh from rzn.
ORDERS = {"LSTM": [0, 3, 1, 2], "GRU": [1, 0, 2], "RNN": [0]}


def in_onnx_order(operator: str, weight: torch.Tensor) -> Array:
    blocks = np.split(weight.detach().numpy(), len(ORDERS[operator]))
    return np.concatenate([blocks[block] for block in ORDERS[operator]])


def exported(module: nn.RNNBase, *, layout: int = 0, readout: nn.Linear | None = None, **changes: Any) -> Any:
    """Return a graph with one operator per layer; ``changes`` are attributes of the first, None to leave one out."""
    operator = "RNN" if isinstance(module, nn.RNN) else type(module).__name__
    directions = 2 if module.bidirectional else 1
    nodes, stored, entering = [], [], "x"
    for layer in range(module.num_layers):
        ends = [f"_l{layer}{reverse}" for reverse in ("", "_reverse")[:directions]]

        def joined(stem: str, ends: list[str] = ends) -> Array:
            return np.stack([in_onnx_order(operator, module.get_parameter(stem + end)) for end in ends])

        inputs = [entering, f"W{layer}", f"R{layer}"]
        stored += [numpy_helper.from_array(joined("weight_ih"), f"W{layer}")]
        stored += [numpy_helper.from_array(joined("weight_hh"), f"R{layer}")]
        if module.bias:
            inputs.append(f"B{layer}")
            biases = np.concatenate((joined("bias_ih"), joined("bias_hh")), axis=1)
            stored.append(numpy_helper.from_array(biases, f"B{layer}"))
        about: dict[str, Any] = {"hidden_size": module.hidden_size, "layout": layout}
        about["direction"] = "bidirectional" if directions == 2 else "forward"
        if operator == "GRU":
            about["linear_before_reset"] = 1
        if operator == "RNN":
            about["activations"] = [str(module.nonlinearity).capitalize()] * directions
        if layer == 0:
            about = {name: value for name, value in (about | changes).items() if value is not None}
        nodes.append(
            helper.make_node(operator, inputs, [f"y{layer}"], name=f"/encoder/rnn/{operator}_{layer}", **about)
        )
        # From (T, D, B, H), or batch first (B, T, D, H), to features side by side.
        order = [0, 1, 2, 3] if layout else [0, 2, 1, 3]
        nodes.append(helper.make_node("Transpose", [f"y{layer}"], [f"turned{layer}"], perm=order))
        nodes.append(helper.make_node("Reshape", [f"turned{layer}", "shape"], [f"h{layer}"]))
        entering = f"h{layer}"
    stored.append(numpy_helper.from_array(np.array([0, 0, directions * module.hidden_size]), "shape"))
    if readout is not None:
        stored.append(numpy_helper.from_array(readout.weight.detach().numpy().T.copy(), "V"))
        stored.append(numpy_helper.from_array(readout.bias.detach().numpy(), "b"))
        nodes.append(helper.make_node("MatMul", [entering, "V"], ["product"]))
        nodes.append(helper.make_node("Add", ["b", "product"], ["scores"]))
        nodes.append(helper.make_node("Softmax", ["scores"], ["out"], axis=-1))
        entering = "out"
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, None, module.input_size])
    y = helper.make_tensor_value_info(entering, TensorProto.FLOAT, [None, None, None])
    graph = helper.make_graph(nodes, "g", [x], [y], stored)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10)


def run(model: Any, x: Array) -> Array:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"x": x})[0])


MODULES = [
    pytest.param(lambda: nn.LSTM(3, 4), id="lstm"),
    pytest.param(lambda: nn.LSTM(3, 4, 2, bidirectional=True), id="lstm, two layers, both directions"),
    pytest.param(lambda: nn.LSTM(3, 4, bias=False), id="lstm without bias"),
    pytest.param(lambda: nn.GRU(3, 4), id="gru"),
    pytest.param(lambda: nn.GRU(3, 4, 3, bidirectional=True), id="gru, three layers, both directions"),
    pytest.param(lambda: nn.GRU(3, 4, bias=False), id="gru without bias"),
    pytest.param(lambda: nn.RNN(3, 4, 2), id="rnn"),
    pytest.param(lambda: nn.RNN(3, 4, bidirectional=True, nonlinearity="relu"), id="rnn with relu, both directions"),
]


@pytest.mark.parametrize("make", MODULES)
def test_onnx_runtime_computes_the_same_hidden_states(make: Any) -> None:
    torch.manual_seed(0)
    module: nn.RNNBase = make()
    x = np.random.default_rng(1).normal(0, 1.5, (40, 3)).astype(np.float32)
    theirs = run(exported(module), x[:, None])[:, 0]
    traced = trace(Network(module), x)
    top = [layer.prefix for layer in traced.layers][-2 if module.bidirectional else -1 :]
    ours = np.concatenate([traced[f"{prefix}.hidden_state"] for prefix in top], axis=1)
    np.testing.assert_allclose(ours, theirs, atol=2e-6)


@pytest.mark.parametrize("make", MODULES)
def test_a_graph_is_opened_as_the_module_it_came_from(tmp_path: Path, make: Any) -> None:
    module: nn.RNNBase = make()
    onnx.save(exported(module), tmp_path / "m.onnx")
    network = open_network(tmp_path / "m.onnx")
    assert type(network.recurrent) is type(module)
    assert getattr(network.recurrent, "nonlinearity", None) == getattr(module, "nonlinearity", None)
    found = network.recurrent.state_dict()
    assert found.keys() == module.state_dict().keys()
    assert all(torch.equal(found[name], weight) for name, weight in module.state_dict().items())


def test_a_read_out_is_recognised(tmp_path: Path) -> None:
    torch.manual_seed(2)
    module = nn.GRU(3, 4, bidirectional=True)
    model = exported(module, readout=nn.Linear(8, 5))
    onnx.save(model, tmp_path / "m.onnx")
    network = open_network(tmp_path / "m.onnx")
    assert (network.readout_kind, network.info().outputs) == ("classes", 5)
    x = np.random.default_rng(1).normal(size=(12, 3)).astype(np.float32)
    np.testing.assert_allclose(trace(network, x)["output"], run(model, x[:, None])[:, 0], atol=1e-6)


def test_batch_first_graphs_have_the_same_weights(tmp_path: Path) -> None:
    module = nn.LSTM(3, 4)
    onnx.save(exported(module, layout=1), tmp_path / "m.onnx")
    found = open_network(tmp_path / "m.onnx").recurrent.state_dict()
    assert torch.equal(found["weight_hh_l0"], module.get_parameter("weight_hh_l0"))


@pytest.mark.parametrize(
    ("make", "changes", "message"),
    [
        (lambda: nn.GRU(3, 4), {"linear_before_reset": 0}, "reset gate acts before"),
        (lambda: nn.GRU(3, 4), {"linear_before_reset": None}, "reset gate acts before"),
        (lambda: nn.LSTM(3, 4), {"direction": "reverse"}, "direction is 'reverse'"),
        (lambda: nn.LSTM(3, 4), {"input_forget": 1}, "coupled"),
        (lambda: nn.LSTM(3, 4), {"clip": 3.0}, "clips what it sums at 3"),
        (lambda: nn.LSTM(3, 4), {"activations": ["HardSigmoid", "Tanh", "Tanh"]}, "HardSigmoid, Tanh, Tanh"),
        (lambda: nn.RNN(3, 4), {"activations": ["Sigmoid"]}, "activations are Sigmoid"),
        (lambda: nn.LSTM(3, 4), {"hidden_size": 5}, "do not fit each other"),
    ],
)
def test_what_pytorch_does_not_compute_is_refused(tmp_path: Path, make: Any, changes: Any, message: str) -> None:
    onnx.save(exported(make(), **changes), tmp_path / "m.onnx")
    with pytest.raises(NetworkError, match=message) as raised:
        open_network(tmp_path / "m.onnx")
    assert raised.value.cure


@pytest.mark.parametrize("expanded", [False, True])
def test_states_that_are_stored_are_no_start_at_zero(tmp_path: Path, expanded: bool) -> None:
    for value in (0.0, 0.5):
        model = exported(nn.GRU(3, 4))
        (operator,) = (node for node in model.graph.node if node.op_type == "GRU")
        operator.input.extend(["", "start"])
        stored = numpy_helper.from_array(np.full((1, 1, 4), value, np.float32), "stored" if expanded else "start")
        model.graph.initializer.append(stored)
        if expanded:
            model.graph.node.insert(0, helper.make_node("Shape", ["stored"], ["size"]))
            model.graph.node.insert(1, helper.make_node("Expand", ["stored", "size"], ["start"]))
        onnx.save(model, tmp_path / "m.onnx")
        if value:
            with pytest.raises(NetworkError, match="does not start at zero, but with states that are stored"):
                open_network(tmp_path / "m.onnx")
        else:
            assert open_network(tmp_path / "m.onnx").kind == "gru"


def test_a_decoder_that_starts_where_the_encoder_ended_is_no_layer_above_it(tmp_path: Path) -> None:
    model = exported(nn.GRU(4, 4, 2))
    lower, upper = (node for node in model.graph.node if node.op_type == "GRU")
    lower.output.append("last")
    upper.input.extend(["", "last"])
    onnx.save(model, tmp_path / "m.onnx")
    with pytest.raises(NetworkError, match="2 recurrent modules"):
        open_network(tmp_path / "m.onnx")


def test_weights_outside_the_graph_are_asked_for(tmp_path: Path) -> None:
    onnx.save(
        exported(nn.LSTM(30, 40)), tmp_path / "m.onnx", save_as_external_data=True, location="weights", size_threshold=0
    )
    with pytest.raises(NetworkError, match="in other files"):
        open_network(tmp_path / "m.onnx")
    model = exported(nn.LSTM(3, 4))
    del model.graph.initializer[:]
    onnx.save(model, tmp_path / "m.onnx")
    with pytest.raises(NetworkError, match=r"W of /encoder/rnn/LSTM_0 \(LSTM\) is not stored"):
        open_network(tmp_path / "m.onnx")


def test_a_graph_without_recurrence_is_named(tmp_path: Path) -> None:
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", [x], [x])
    onnx.save(helper.make_model(graph), tmp_path / "m.onnx")
    with pytest.raises(NetworkError, match=r"no recurrent operators.*Relu"):
        open_network(tmp_path / "m.onnx")


@pytest.mark.parametrize("content", [b"not a graph", bytes(range(256)) * 4, b"\x08\x07"])
def test_damaged_graphs_get_one_message(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.onnx").write_bytes(content)
    with pytest.raises(NetworkError, match=r"m\.onnx is damaged"):
        open_network(tmp_path / "m.onnx")


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.97])
def test_truncated_graphs_get_one_message(tmp_path: Path, kept: float) -> None:
    content = exported(nn.LSTM(3, 4, 2)).SerializeToString()
    (tmp_path / "m.onnx").write_bytes(content[: int(kept * len(content))])
    with pytest.raises(NetworkError, match=r"m\.onnx is damaged"):
        open_network(tmp_path / "m.onnx")


def test_graphs_that_lead_nowhere_get_one_message(tmp_path: Path) -> None:
    circle = exported(nn.LSTM(3, 4))
    # The operator reads, by way of a change of shape, what it writes.
    circle.graph.node[0].input[0] = "loop"
    circle.graph.node.append(helper.make_node("Transpose", ["loop"], ["loop"]))
    onnx.save(circle, tmp_path / "m.onnx")
    with pytest.raises(NetworkError, match=r"m\.onnx is damaged: its graph cannot be followed"):
        open_network(tmp_path / "m.onnx")
    bare = exported(nn.LSTM(3, 4))
    del bare.graph.node[0].input[:]
    onnx.save(bare, tmp_path / "m.onnx")
    with pytest.raises(NetworkError, match="lacks W or R"):
        open_network(tmp_path / "m.onnx")


def test_without_onnx_the_message_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    onnx.save(exported(nn.LSTM(3, 4)), tmp_path / "m.onnx")
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(NetworkError, match=r'pip install "lstm-studio\[onnx\]"'):
        open_network(tmp_path / "m.onnx")


def cut_and_joined(module: nn.RNNBase, opset: int) -> Any:
    """Return a graph that brings the blocks of gates into their order itself, as exporters of old sets leave it."""
    operator = type(module).__name__
    size, count = module.hidden_size, len(ORDERS[operator])
    nodes: list[Any] = []
    stored: list[Any] = []

    def add(kind: str, entering: str, name: str, numbers: dict[str, list[int]]) -> str:
        """Add an operator that is told numbers: as attributes once, as inputs since."""
        told = [f"{name}.{what}" for what in numbers]
        if opset >= 13:
            for own, place in zip(numbers.values(), told, strict=True):
                stored.append(numpy_helper.from_array(np.array(own), place))
            nodes.append(helper.make_node(kind, [entering, *told], [name]))
        else:
            attributes: dict[str, Any] = dict(numbers)
            nodes.append(helper.make_node(kind, [entering], [name], **attributes))
        return name

    def reordered(name: str) -> str:
        stored.append(numpy_helper.from_array(module.get_parameter(name).detach().numpy(), name))
        blocks = []
        for place, block in enumerate(ORDERS[operator]):
            numbers = {"starts": [block * size], "ends": [block * size + size], "axes": [0]}
            blocks.append(add("Slice", name, f"{name}.{place}", numbers))
        nodes.append(helper.make_node("Concat", blocks, [f"{name}.joined"], axis=0))
        return f"{name}.joined"

    biases = [reordered("bias_ih_l0"), reordered("bias_hh_l0")]
    nodes.append(helper.make_node("Concat", biases, ["biases"], axis=0))
    names = (reordered("weight_ih_l0"), reordered("weight_hh_l0"), "biases")
    weights = [add("Unsqueeze", name, f"{name}.whole", {"axes": [0]}) for name in names]
    about: dict[str, Any] = {"linear_before_reset": 1} if operator == "GRU" else {}
    nodes.append(helper.make_node(operator, ["x", *weights], ["y"], hidden_size=size, **about))
    add("Squeeze", "y", "out", {"axes": [1]})
    assert count == len(module.get_parameter("bias_ih_l0")) // size
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, None, module.input_size])
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT, [None, None, None])
    graph = helper.make_graph(nodes, "g", [x], [out], stored)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


@pytest.mark.parametrize("opset", [7, 9, 13, 17])
@pytest.mark.parametrize("make", [lambda: nn.LSTM(3, 4), lambda: nn.GRU(3, 4), lambda: nn.RNN(3, 4)])
def test_weights_that_the_graph_cuts_and_joins_are_followed(tmp_path: Path, make: Any, opset: int) -> None:
    torch.manual_seed(0)
    module: nn.RNNBase = make()
    model = cut_and_joined(module, opset)
    onnx.save(model, tmp_path / "m.onnx")
    network = open_network(tmp_path / "m.onnx")
    found = network.recurrent.state_dict()
    assert all(torch.equal(found[name], weight) for name, weight in module.state_dict().items())
    x = np.random.default_rng(1).normal(size=(12, 3)).astype(np.float32)
    traced = trace(network, x)
    hidden = traced[f"{traced.layers[0].prefix}.hidden_state"]
    np.testing.assert_allclose(hidden, run(model, x[:, None])[:, 0], atol=2e-6)


def test_tensors_joined_to_fill_the_memory_are_not(tmp_path: Path) -> None:
    model = exported(nn.LSTM(3, 4))
    names = ["R0", *(f"twice{number}" for number in range(60))]
    joined = [helper.make_node("Concat", [one, one], [two], axis=0) for one, two in pairwise(names)]
    model.graph.node[0].input[2] = names[-1]
    nodes = [*joined, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(NetworkError, match=r"m\.onnx is damaged.*would fill the memory"):
        open_network(tmp_path / "m.onnx")


def test_activations_may_be_written_in_small_letters(tmp_path: Path) -> None:
    """As ONNX Runtime takes them."""
    torch.manual_seed(0)
    model = exported(nn.LSTM(3, 4), activations=["sigmoid", "tanh", "tanh"])
    onnx.save(model, tmp_path / "m.onnx")
    x = np.random.default_rng(1).normal(size=(12, 3)).astype(np.float32)
    traced = trace(open_network(tmp_path / "m.onnx"), x)
    hidden = traced[f"{traced.layers[0].prefix}.hidden_state"]
    np.testing.assert_allclose(hidden, run(model, x[:, None])[:, 0], atol=2e-6)


@pytest.mark.parametrize(("value", "refused"), [(0.0, False), (0.5, True)])
def test_states_that_an_old_graph_fills_are_zero_or_refused(tmp_path: Path, value: float, refused: bool) -> None:
    model = exported(nn.GRU(3, 4))
    model.graph.initializer.append(numpy_helper.from_array(np.array([1, 1, 4]), "sizes"))
    filled = helper.make_node("ConstantFill", ["sizes"], ["filled"], input_as_shape=1, value=value)
    model.graph.node[0].input.extend(["", "filled"])
    model.graph.node.insert(0, filled)
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    if refused:
        with pytest.raises(NetworkError, match="does not start at zero"):
            open_network(tmp_path / "m.onnx")
    else:
        assert open_network(tmp_path / "m.onnx").kind == "gru"


@pytest.mark.parametrize("axes", [[1 << 40], [-(1 << 62)], [9], [0, 0], []])
def test_axes_that_are_not_there_are_damage(tmp_path: Path, axes: list[int]) -> None:
    model = cut_and_joined(nn.LSTM(3, 4), 9)
    turned = next(node for node in model.graph.node if node.op_type == "Unsqueeze")
    del turned.attribute[:]
    turned.attribute.append(helper.make_attribute("axes", axes, attr_type=AttributeProto.INTS))
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(NetworkError, match=r"^m\.onnx( is damaged|: .* lacks W or R)"):
        open_network(tmp_path / "m.onnx")

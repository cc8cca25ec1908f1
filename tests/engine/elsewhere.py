"""A device that is not the CPU, for computers that have none, and traces on it compared with those on the CPU.

Its tensors are PyTorch's own as far as PyTorch can tell: they say that they are elsewhere, refuse to become arrays, and
refuse to be computed with together with those of the CPU. Inside each is a tensor of the CPU that does the work. This
shows a copy to the CPU that is missing and an attribute that is not there; not what another kernel rounds.

Run as a program, because it changes PyTorch for good.
"""

from __future__ import annotations

import copy
import sys
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, library, nn
from torch.utils._pytree import tree_flatten, tree_map
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

from lstm_studio import new_network, open_run, resume, trace, watch
from lstm_studio.engine import fused

_setup_privateuseone_for_python_backend("elsewhere")
_accelerator: Any = torch._C
_inside: dict[int, Tensor] = {}
"""The tensor inside by the address of the storage, for those that PyTorch makes of others by itself."""
_kept: list[Tensor] = []
"""Or an address would be used twice."""
_COPIES = {"aten::_to_copy", "aten::copy_", "aten::_copy_from"}
_VIEWS = (
    *("unsqueeze", "squeeze", "squeeze.dim", "squeeze.dims", "slice.Tensor", "select.int", "t", "transpose.int"),
    *("permute", "expand", "view", "alias", "detach", "unfold", "split.Tensor", "split_with_sizes", "unbind.int"),
    *("_reshape_alias", "_unsafe_view"),
)
"""What PyTorch would compute from the strides of the outer tensor, which are not those of the inner one."""


class There(Tensor):
    """A tensor elsewhere."""

    here: Tensor

    @staticmethod
    def __new__(cls, here: Tensor) -> There:
        """Return one around ``here``."""
        made: Any = _accelerator._acc.create_empty_tensor(tuple(here.shape), here.dtype)
        made.__class__ = cls
        made.here = here
        _inside[made.untyped_storage()._cdata] = here
        _kept.append(made)
        found: There = made
        return found

    def __init__(self, here: Tensor) -> None:
        del here

    def detach(self) -> Tensor:
        """Return one around the same, as PyTorch asks of the class of a parameter."""
        return There(self.here)


# Or copies on the CPU would be of this class, too.
_class: Any = There
_class.__torch_function__ = torch._C._disabled_torch_function_impl


def inside(value: Any) -> Any:
    """Return the tensor inside one that is elsewhere, and the CPU in place of the device."""
    if isinstance(value, torch.device):
        return torch.device("cpu")
    if not isinstance(value, Tensor) or value.device.type != "elsewhere":
        return value
    return value.here if isinstance(value, There) else _inside[value.untyped_storage()._cdata]


def compute(operator: Any, args: Any, kwargs: Any) -> Any:
    """Compute an operator with what is inside."""
    name = operator._schema.name
    given = [value for value in tree_flatten((args, kwargs))[0] if isinstance(value, Tensor)]
    strangers = [value for value in given if value.device.type == "cpu" and value.dim()]
    if strangers and name not in _COPIES and not name.startswith("aten::index"):
        raise RuntimeError(f"{name}: a tensor of the CPU together with those of another device")
    if name == "aten::_copy_from":
        inside(args[1]).copy_(inside(args[0]))
        return args[1]
    to_cpu = torch.device(kwargs.get("device") or "elsewhere").type == "cpu"
    found = operator(*tree_map(inside, args), **tree_map(inside, kwargs))
    if name == "aten::copy_" and args[0].device.type == "cpu":
        return args[0]
    outside = {id(inside(value)): value for value in given if value.device.type == "elsewhere"}

    def wrapped(value: Any) -> Any:
        if not isinstance(value, Tensor) or to_cpu:
            return value
        return outside[id(value)] if id(value) in outside else There(value)

    return tree_map(wrapped, found)


def registered(name: str, operator: Any) -> None:
    _library.impl(name, lambda *args, **kwargs: compute(operator, args, kwargs), "PrivateUse1")


def lstm_step(x: Tensor, h: Tensor, c: Tensor, *biases: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """Return h, c and the gates, as the kernel does that a device may have of its own."""
    given = [inside(bias) for bias in biases if bias is not None]
    i, f, g, o = torch.stack((inside(x), inside(h))).sum(0).add(sum(given)).chunk(4, 1)
    gates = (i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid())
    after = gates[1] * inside(c) + gates[0] * gates[2]
    return There(gates[3] * after.tanh()), There(after), There(torch.cat(gates, 1))


def lstm_step_back(dh: Tensor | None, dc: Tensor | None, *kept: Any) -> tuple[Tensor, Tensor, Tensor | None]:
    """Return the derivatives of the pre-activations, of c, and of a bias."""
    c, after, gates, has_bias = kept
    i, f, g, o = inside(gates).chunk(4, 1)
    squashed = inside(after).tanh()
    into_h = torch.zeros_like(squashed) if dh is None else inside(dh)
    total = into_h * o * (1 - squashed**2) + (0 if dc is None else inside(dc))
    parts = (total * g * i * (1 - i), total * inside(c) * f * (1 - f), total * i * (1 - g**2))
    da = torch.cat((*parts, into_h * squashed * o * (1 - o)), 1)
    return There(da), There(total * f), There(da.sum(0)) if has_bias else None


def gru_step(x: Tensor, h: Tensor, before: Tensor, *biases: Tensor | None) -> tuple[Tensor, Tensor]:
    """Return h, and what the way back needs."""
    first, second = (0 if bias is None else inside(bias) for bias in (*biases, None, None)[:2])
    a_r, a_z, a_n = (inside(x) + first).chunk(3, 1)
    m_r, m_z, m_n = (inside(h) + second).chunk(3, 1)
    r, z = (a_r + m_r).sigmoid(), (a_z + m_z).sigmoid()
    n = (a_n + r * m_n).tanh()
    return There((1 - z) * n + z * inside(before)), There(torch.cat((r, z, n, m_n, inside(before)), 1))


def gru_step_back(dh: Tensor, kept: Tensor, has_bias: bool) -> tuple[Tensor | None, ...]:
    """Return the derivatives of both products, of h, and of both biases."""
    r, z, n, m_n, before = inside(kept).chunk(5, 1)
    into_n = inside(dh) * (1 - z) * (1 - n**2)
    gates = torch.cat((into_n * m_n * r * (1 - r), inside(dh) * (before - n) * z * (1 - z)), 1)
    of_x, of_h = torch.cat((gates, into_n), 1), torch.cat((gates, into_n * r), 1)
    biases = (There(of_x.sum(0)), There(of_h.sum(0))) if has_bias else (None, None)
    return There(of_x), There(of_h), There(inside(dh) * z), *biases


_registry: Any = library
_library, _everything = (_registry.Library(name, "IMPL") for name in ("aten", "_"))
_everything.fallback(lambda operator, *args, **kwargs: compute(operator, args, kwargs), "PrivateUse1")
for view in _VIEWS:
    base, _, overload = view.partition(".")
    registered(view, getattr(getattr(torch.ops.aten, base), overload or "default"))
for maker in ("empty.memory_format", "empty_strided", "_copy_from"):
    base, _, overload = maker.partition(".")
    registered(maker, getattr(getattr(torch.ops.aten, base), overload or "default"))
registered("convolution_overrideable", torch.ops.aten.convolution.default)
_library.impl("_thnn_fused_lstm_cell", lstm_step, "PrivateUse1")
_library.impl("_thnn_fused_lstm_cell_backward_impl", lstm_step_back, "PrivateUse1")
_library.impl("_thnn_fused_gru_cell", gru_step, "PrivateUse1")
_library.impl("_thnn_fused_gru_cell_backward", gru_step_back, "PrivateUse1")
torch.__future__.set_overwrite_module_params_on_conversion(True)
_usual_parameter = nn.Parameter.__new__


def parameter(cls: Any, data: Any = None, requires_grad: bool = True) -> Any:
    """Return a parameter elsewhere as the class that knows what is inside."""
    if not isinstance(data, Tensor) or data.device.type != "elsewhere":
        return _usual_parameter(cls, data, requires_grad)
    made: Any = There(inside(data)).requires_grad_(requires_grad)
    made._is_param = True
    return made


class Tagger(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed, self.out = nn.Embedding(7, 3), nn.Linear(8, 2)
        self.rnn = nn.LSTM(3, 4, 2, bidirectional=True, batch_first=True)

    def forward(self, x: Tensor) -> Any:
        return self.out(self.rnn(self.embed(x))[0])


class Loop(nn.Module):
    def __init__(self, cell: nn.RNNCellBase) -> None:
        super().__init__()
        self.cell, self.out = cell, nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        states, steps = None, []
        for x_t in x:
            states = self.cell(x_t, states)
            steps.append(self.out(states[0] if isinstance(states, tuple) else states))
        return torch.stack(steps)


class Joined(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder, self.norm = nn.GRU(2, 4), nn.RNN(4, 4), nn.BatchNorm1d(4)

    def forward(self, x: Tensor) -> Any:
        hidden, last = self.encoder(x)
        return self.decoder(self.norm(hidden.permute(1, 2, 0)).permute(2, 0, 1), last)[0]


def compare(name: str, model: nn.Module, x: Tensor, *, fused_way: bool) -> None:
    """Trace a model here and there, and compare all numbers."""
    usual = fused.is_faster
    if fused_way:
        fused.is_faster = lambda device, module: (
            device.type == "elsewhere" and isinstance(module, nn.LSTM | nn.GRU | nn.RNN)
        )
    objectives: tuple[Callable[[Tensor], Tensor] | None, ...] = (None, lambda output: output.square().sum())
    for objective in objectives:
        here = trace(model, x, objective=objective, memory=objective is None)
        moved = copy.deepcopy(model).to("elsewhere")
        there = trace(moved, x, objective=objective, memory=objective is None)
        assert there.provenance.device == "elsewhere"
        assert here.names == there.names
        for signal in here.names:
            np.testing.assert_allclose(there[signal], here[signal], rtol=1e-3, atol=1e-6, err_msg=f"{name} {signal}")
    fused.is_faster = usual


def record(model: nn.Module, x: Tensor) -> None:
    """Record a training there, and compare its first step with a trace here."""
    expected = trace(model, x)
    moved = copy.deepcopy(model).to("elsewhere")
    optimiser = torch.optim.SGD(moved.parameters(), lr=0.1)
    with tempfile.TemporaryDirectory() as folder:
        with watch(moved, folder, every=1, sequences=1) as run:
            for _ in range(2):
                optimiser.zero_grad()
                loss = moved(x.to("elsewhere")).square().mean()
                torch.autograd.backward(loss)
                run.step(loss=loss)
                optimiser.step()
        recorded = open_run(folder)
        assert recorded.steps == [0, 1]
        found = recorded.trace(0)
        for name in ("input", "cell.0.forget_gate", "cell.0.cell_state"):
            np.testing.assert_allclose(found[name], expected[name], atol=2e-3)


def main() -> None:
    torch.manual_seed(0)
    parameters: Any = nn.Parameter
    parameters.__new__ = parameter
    x, batch, ids = torch.randn(9, 2), torch.randn(9, 3, 2), torch.randint(0, 7, (2, 9))
    for attempt in (lambda: x.to("elsewhere").numpy(), lambda: x.to("elsewhere") + x):
        try:
            attempt()
        except (TypeError, RuntimeError):
            continue
        raise AssertionError("the device does not tell its tensors from those of the CPU")
    cases: dict[str, tuple[nn.Module, Tensor]] = {
        "lstm": (nn.LSTM(2, 4, 2, bidirectional=True), x),
        "lstm without bias": (nn.LSTM(2, 4, bias=False), batch),
        "gru": (nn.GRU(2, 4, 2, bidirectional=True), x),
        "gru without bias": (nn.GRU(2, 4, bias=False), batch),
        "rnn": (nn.RNN(2, 4), x),
        "relu": (nn.RNN(2, 4, 2, nonlinearity="relu"), batch),
        "tagger": (Tagger(), ids),
        "loop of lstm cells": (Loop(nn.LSTMCell(2, 4)), batch),
        "loop of gru cells": (Loop(nn.GRUCell(2, 4)), batch),
        "joined, mixing the batch": (Joined(), batch),
    }
    for kind in ("lstm-article", "lstm-1997", "tdnn", "feedforward"):
        cases[kind] = (new_network(kind, 2, 4, 2, outputs=2).module, x)
    cases["1997 with gates read"] = (
        new_network("lstm-1997", 2, 4, block_size=2, gate_recurrence=True).module,
        batch,
    )
    for name, (model, given) in cases.items():
        for fused_way in (False, True):
            compare(name, model, given, fused_way=fused_way)
            sys.stdout.write(f"{name} {'by the fused kernels' if fused_way else 'by hand'}\n")
    network = new_network("lstm", 2, 4, 2, outputs=2)
    expected = trace(network, x)
    network.module.to("elsewhere")
    for dtype in ("float32", "float64"):
        found = trace(network, x, dtype=dtype)
        np.testing.assert_allclose(found["output"], expected["output"], atol=1e-5)
    branch = resume(trace(network, x), at=3, clamp={"lstm.0.forget_gate": {1: 1.0}})
    assert (branch["lstm.0.forget_gate"][3:, 1] == 1).all()
    assert len(network.fingerprint) == 16
    record(Loop(nn.LSTMCell(2, 4)), batch)
    sys.stdout.write("everything\n")


if __name__ == "__main__":
    main()

"""Every kind's recurrence written down again, one step after another, in float64: the oracle for traces and gradients.

Shares no code with the package. It is written once for NumPy arrays and for PyTorch tensors: with the former it says
what every signal must be, with the latter autograd says what every gradient must be.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

Vector = Any
"""A NumPy array or a PyTorch tensor of float64."""


@dataclass(frozen=True)
class Functions:
    """The few functions that NumPy and PyTorch call differently."""

    sigmoid: Callable[[Vector], Vector]
    tanh: Callable[[Vector], Vector]
    relu: Callable[[Vector], Vector]
    join: Callable[[list[Vector]], Vector]
    stack: Callable[[list[Vector]], Vector]
    zeros: Callable[[int], Vector]


NUMPY = Functions(
    lambda a: 1.0 / (1.0 + np.exp(-a)), np.tanh, lambda a: np.maximum(a, 0.0), np.concatenate, np.stack, np.zeros
)


def _with_slope(value: torch.Tensor, slope: torch.Tensor, a: torch.Tensor) -> torch.Tensor:
    """Return a value whose gradient with respect to ``a`` is this slope.

    PyTorch takes 1 − tanh² and σ (1 − σ) of the rounded values: of a memory of 8 no more than nine digits are left.
    """
    return value.detach() + slope.detach() * (a - a.detach())


# A clone makes each part a node of its own, of which a gradient can be taken.
TORCH = Functions(
    lambda a: _with_slope(torch.sigmoid(a), 0.25 / torch.cosh(a / 2) ** 2, a),
    lambda a: _with_slope(torch.tanh(a), 1.0 / torch.cosh(a) ** 2, a),
    torch.relu,
    torch.cat,
    torch.stack,
    lambda size: torch.zeros(size, dtype=torch.float64),
)

Step = dict[str, Vector]


def parts(a: Vector, *sizes: int) -> list[Vector]:
    """Cut a vector into parts of these sizes, each an object of its own."""
    ends = np.cumsum([0, *sizes])
    assert ends[-1] == len(a)
    return [a[start:end] + 0.0 for start, end in itertools.pairwise(ends)]


def lstm(x: list[Vector], w: Mapping[str, Vector], do: Functions, options: Mapping[str, Any]) -> list[Step]:
    units = len(w["weight_hh"]) // 4
    h, c = do.zeros(w["weight_hh"].shape[1]), do.zeros(units)
    steps = []
    for x_t in x:
        a = w["weight_ih"] @ x_t + w["weight_hh"] @ h + w.get("bias_ih", 0.0) + w.get("bias_hh", 0.0)
        a_i, a_f, a_g, a_o = parts(a, *[units] * 4)
        i, f, g, o = do.sigmoid(a_i), do.sigmoid(a_f), do.tanh(a_g), do.sigmoid(a_o)
        retained, admitted = f * c, i * g
        c = retained + admitted
        h = o * do.tanh(c)
        if "weight_hr" in w:
            h = w["weight_hr"] @ h
        steps.append(
            {
                "input_gate": i,
                "forget_gate": f,
                "candidate": g,
                "output_gate": o,
                "input_gate.preactivation": a_i,
                "forget_gate.preactivation": a_f,
                "candidate.preactivation": a_g,
                "output_gate.preactivation": a_o,
                "retained": retained,
                "admitted": admitted,
                "cell_state": c,
                "hidden_state": h,
            }
        )
    return steps


def rnn(x: list[Vector], w: Mapping[str, Vector], do: Functions, options: Mapping[str, Any]) -> list[Step]:
    squash = do.relu if options.get("nonlinearity") == "relu" else do.tanh
    h = do.zeros(len(w["weight_hh"]))
    steps = []
    for x_t in x:
        a = w["weight_ih"] @ x_t + w["weight_hh"] @ h + w.get("bias_ih", 0.0) + w.get("bias_hh", 0.0)
        h = squash(a)
        steps.append({"hidden_state.preactivation": a, "hidden_state": h})
    return steps


def gru(x: list[Vector], w: Mapping[str, Vector], do: Functions, options: Mapping[str, Any]) -> list[Step]:
    units = w["weight_hh"].shape[1]
    h = do.zeros(units)
    steps = []
    for x_t in x:
        a_r, a_z, a_n = parts(w["weight_ih"] @ x_t + w.get("bias_ih", 0.0), *[units] * 3)
        m_r, m_z, m_n = parts(w["weight_hh"] @ h + w.get("bias_hh", 0.0), *[units] * 3)
        a_r, a_z = a_r + m_r, a_z + m_z
        r, z = do.sigmoid(a_r), do.sigmoid(a_z)
        recalled = r * m_n
        a_n = a_n + recalled
        n = do.tanh(a_n)
        retained, admitted = z * h, (1 - z) * n
        h = retained + admitted
        steps.append(
            {
                "reset_gate": r,
                "update_gate": z,
                "candidate": n,
                "recalled": recalled,
                "retained": retained,
                "admitted": admitted,
                "hidden_state": h,
                "reset_gate.preactivation": a_r,
                "update_gate.preactivation": a_z,
                "candidate.preactivation": a_n,
            }
        )
    return steps


def lstm_article(x: list[Vector], w: Mapping[str, Vector], do: Functions, options: Mapping[str, Any]) -> list[Step]:
    units = w["weight_hh"].shape[1]
    h, c = do.zeros(units), do.zeros(units)
    steps = []
    for x_t in x:
        a_i, a_f, a_g, a_o = parts(w["weight_ih"] @ x_t + w["weight_hh"] @ h + w.get("bias_ih", 0.0), *[units] * 4)
        i, f, g, o = do.sigmoid(a_i), do.sigmoid(a_f), do.tanh(a_g), do.sigmoid(a_o)
        retained, admitted = f * c, i * g
        a_v = w["weight_use"] @ retained + w.get("bias_use", 0.0)
        v = do.tanh(a_v)
        c, h = retained + admitted, o * v
        steps.append(
            {
                "input_gate": i,
                "forget_gate": f,
                "candidate": g,
                "output_gate": o,
                "use_candidate": v,
                "input_gate.preactivation": a_i,
                "forget_gate.preactivation": a_f,
                "candidate.preactivation": a_g,
                "output_gate.preactivation": a_o,
                "use_candidate.preactivation": a_v,
                "retained": retained,
                "admitted": admitted,
                "cell_state": c,
                "hidden_state": h,
            }
        )
    return steps


def lstm_1997(x: list[Vector], w: Mapping[str, Vector], do: Functions, options: Mapping[str, Any]) -> list[Step]:
    size = options["block_size"]
    rows, sources = w["weight_hh"].shape
    blocks = rows // (size + 2)
    units = size * blocks
    block_of_unit = [unit // size for unit in range(units)]
    h, c, i, o = do.zeros(units), do.zeros(units), do.zeros(blocks), do.zeros(blocks)
    steps = []
    for x_t in x:
        read = do.join([h, i, o]) if options["gate_recurrence"] else h
        assert len(read) == sources
        a = w["weight_ih"] @ x_t + w["weight_hh"] @ read + w.get("bias_ih", 0.0)
        a_i, a_g, a_o = parts(a, blocks, units, blocks)
        i, g, o = do.sigmoid(a_i), do.tanh(a_g), do.sigmoid(a_o)
        admitted = i[block_of_unit] * g
        c = c + admitted
        h = o[block_of_unit] * do.tanh(c)
        steps.append(
            {
                "input_gate": i,
                "candidate": g,
                "output_gate": o,
                "input_gate.preactivation": a_i,
                "candidate.preactivation": a_g,
                "output_gate.preactivation": a_o,
                "admitted": admitted,
                "cell_state": c,
                "hidden_state": h,
            }
        )
    return steps


def tdnn(x: list[Vector], w: Mapping[str, Vector], do: Functions, options: Mapping[str, Any]) -> list[Step]:
    squash = do.relu if options["nonlinearity"] == "relu" else do.tanh
    window = options["window"]
    steps = []
    for t in range(len(x)):
        a = w.get("bias_ih", 0.0) + do.zeros(len(w["weight_ih"]))
        for lag in range(min(window, t + 1)):
            a = a + w["weight_ih"][:, :, window - 1 - lag] @ x[t - lag]
        steps.append({"hidden_state.preactivation": a, "hidden_state": squash(a)})
    return steps


def feedforward(x: list[Vector], w: Mapping[str, Vector], do: Functions, options: Mapping[str, Any]) -> list[Step]:
    squash = do.relu if options["nonlinearity"] == "relu" else do.tanh
    before = [w["weight_ih"] @ x_t + w.get("bias_ih", 0.0) for x_t in x]
    return [{"hidden_state.preactivation": a, "hidden_state": squash(a)} for a in before]


LAYERS = {
    "lstm": lstm,
    "rnn": rnn,
    "gru": gru,
    "lstm-article": lstm_article,
    "lstm-1997": lstm_1997,
    "tdnn": tdnn,
    "feedforward": feedforward,
}


def stack(
    kind: str,
    x: Vector,
    weights: Mapping[str, Vector],
    do: Functions,
    *,
    layers: int,
    bidirectional: bool,
    options: Mapping[str, Any],
) -> tuple[Vector, dict[str, list[Vector]]]:
    """Run a stack over x (T, F); return the (T, D·P) output, and every signal's steps in the order of time, by name."""
    named: dict[str, list[Vector]] = {}
    entering = list(x)
    for layer in range(layers):
        directions = []
        for reverse in (False, True)[: 2 if bidirectional else 1]:
            end = f"_l{layer}{'_reverse' if reverse else ''}"
            own = {name.removesuffix(end): weight for name, weight in weights.items() if name.endswith(end)}
            steps = LAYERS[kind](entering[::-1] if reverse else entering, own, do, options)
            steps = steps[::-1] if reverse else steps
            prefix = f"{kind}.{layer}{'.reverse' if reverse else ''}"
            named |= {f"{prefix}.{name}": [step[name] for step in steps] for name in steps[0]}
            directions.append([step["hidden_state"] for step in steps])
        entering = [do.join(list(both)) for both in zip(*directions, strict=True)]
    return do.stack(entering), named

"""The recurrences written down again in plain float64 NumPy, one step after another: the oracle for traces.

Shares no code with the package: weights come as a dictionary of arrays, named as in a PyTorch state dict.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def sigmoid(a: Array) -> Array:
    return np.asarray(1.0 / (1.0 + np.exp(-a)))


def lstm_layer(x: Array, weights: Mapping[str, Array], end: str) -> dict[str, Array]:
    """Run one LSTM layer over x (T, F) in the order given; return the signals, each (T, H)."""
    w_ih, w_hh = weights[f"weight_ih{end}"], weights[f"weight_hh{end}"]
    w_hr = weights.get(f"weight_hr{end}")
    units = w_hh.shape[0] // 4
    b = weights.get(f"bias_ih{end}", np.zeros(4 * units)) + weights.get(f"bias_hh{end}", np.zeros(4 * units))
    h, c = np.zeros(w_hh.shape[1]), np.zeros(units)
    steps: dict[str, list[Array]] = {}
    for x_t in x:
        a = w_ih @ x_t + w_hh @ h + b
        a_i, a_f, a_g, a_o = a[:units], a[units : 2 * units], a[2 * units : 3 * units], a[3 * units :]
        i, f, g, o = sigmoid(a_i), sigmoid(a_f), np.tanh(a_g), sigmoid(a_o)
        retained, admitted = f * c, i * g
        c = retained + admitted
        h = o * np.tanh(c)
        if w_hr is not None:
            h = w_hr @ h
        now = {
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
        for name, value in now.items():
            steps.setdefault(name, []).append(value)
    return {name: np.stack(values) for name, values in steps.items()}


def rnn_layer(x: Array, weights: Mapping[str, Array], end: str, nonlinearity: str) -> dict[str, Array]:
    """Run one Elman layer over x (T, F) in the order given; return the signals, each (T, H)."""
    w_ih, w_hh = weights[f"weight_ih{end}"], weights[f"weight_hh{end}"]
    units = len(w_hh)
    b = weights.get(f"bias_ih{end}", np.zeros(units)) + weights.get(f"bias_hh{end}", np.zeros(units))
    h = np.zeros(units)
    before, after = [], []
    for x_t in x:
        a = w_ih @ x_t + w_hh @ h + b
        h = np.tanh(a) if nonlinearity == "tanh" else np.maximum(a, 0.0)
        before.append(a)
        after.append(h)
    return {"hidden_state.preactivation": np.stack(before), "hidden_state": np.stack(after)}


def stack(
    kind: str,
    x: Array,
    weights: Mapping[str, Array],
    *,
    layers: int,
    bidirectional: bool,
    nonlinearity: str = "tanh",
) -> dict[str, Array]:
    """Run a stack; return all signals in the order of time, by canonical name."""
    named: dict[str, Array] = {}
    x = np.asarray(x, np.float64)
    for layer in range(layers):
        outputs = []
        for reverse in (False, True)[: 2 if bidirectional else 1]:
            end = f"_l{layer}{'_reverse' if reverse else ''}"
            entering = x[::-1] if reverse else x
            if kind == "lstm":
                signals = lstm_layer(entering, weights, end)
            else:
                signals = rnn_layer(entering, weights, end, nonlinearity)
            if reverse:
                signals = {name: array[::-1] for name, array in signals.items()}
            prefix = f"{kind}.{layer}{'.reverse' if reverse else ''}"
            named |= {f"{prefix}.{name}": array for name, array in signals.items()}
            outputs.append(signals["hidden_state"])
        x = np.concatenate(outputs, axis=1)
    return named

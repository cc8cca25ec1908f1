"""Gradients of a what-if branch: back through the steps as they went, with what was held as constants.

A held value depends on nothing, so it has no gradient and passes none on; everything else is as in a trace.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lstm_studio.engine.call import Call, Chain, Layout
from lstm_studio.engine.capture import Recording
from lstm_studio.engine.gradients import ObjectiveGradients, gradients_of
from lstm_studio.engine.losses import Context, CustomObjective
from lstm_studio.engine.objectives import Objective
from lstm_studio.engine.recovery import RecoveredLayer
from lstm_studio.engine.trace import TraceLayer
from lstm_studio.networks.cell import HeldSteps
from lstm_studio.networks.network import Network

Array = NDArray[Any]


def branch_gradients(
    network: Network,
    layers: tuple[TraceLayer, ...],
    arrays: Mapping[str, Array],
    held: Mapping[str, HeldSteps],
    *,
    objective: Objective | CustomObjective,
    target: Array | None,
    dtype: torch.dtype,
) -> ObjectiveGradients:
    """Take the gradients of a branch.

    Parameters
    ----------
    network
        That the branch is of; it runs forwards only.
    layers, arrays
        Those of the branch.
    held
        Layer → signal → (T, ·), where it was held.
    objective
        The scalar L.
    target
        As in ``Sequence.target``, or None.
    dtype
        The precision of the branch.

    Raises
    ------
    TraceError
        If the objective cannot be formed or does not depend on the recurrent layers.
    NetworkError
        If a value is held that a gate cannot have, in a kind that then has no gradient.
    """
    module, cell = network.recurrent, network.cell
    x = torch.tensor(arrays["input"])
    recovered, last = [], []
    entering = x
    for index, layer in enumerate(layers):
        weights = cell.layer(module, index, False).map(lambda weight: weight.to("cpu", dtype))
        signals = {signal.name: arrays[f"{layer.prefix}.{signal.name}"] for signal in layer.signals}
        after = cell.states_after(module, {name: signal[-1] for name, signal in signals.items()})
        last.append(after)
        initial = tuple(torch.zeros(len(state), dtype=dtype) for state in after)
        own = held.get(layer.prefix, {})
        states = cell.states
        recovered.append(RecoveredLayer(layer, weights, signals, False, states, 0.0, entering, initial, None, own))
        entering = torch.tensor(signals[states[0]])
    hidden = entering.clone().requires_grad_()
    final = tuple(torch.tensor(np.stack(parts)).requires_grad_() for parts in zip(*last, strict=True))
    call = Call(network.path, module, cell, Layout(1, None), x, (), (), hidden, final, final)
    with torch.inference_mode(mode=False), torch.enable_grad():
        returned = _returned(network, hidden, dtype)
    context = Context(Recording([call], returned, [Chain(network.path, [call])]), 0, target, network.readout_kind)
    return gradients_of(objective, context, {id(call): recovered})


def _returned(network: Network, hidden: Tensor, dtype: torch.dtype) -> Tensor:
    """Return what the network makes of the top layer's hidden states; an objective may change it in place."""
    if network.readout is None:
        return hidden.clone()
    readout = copy.deepcopy(network.readout).to("cpu", dtype).requires_grad_(False)
    output: Tensor = readout(hidden)
    return output

"""How far back in time the gradient of a network in training reaches, on sequences that it is not trained on."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lstm_studio.engine import capture, recovery
from lstm_studio.engine.call import Call
from lstm_studio.engine.devices import one_blas_thread
from lstm_studio.engine.norms import row_norms
from lstm_studio.networks.network import Network
from lstm_studio.networks.signals import FORGET_GATE
from lstm_studio.tasks.task import Batch

ITEMS = 16
"""So many sequences are taken, where they are not long."""
_MOST_STEPS = 8000
"""Of all of them together: they are gone through one by one, and the training waits."""
_MOST_LAGS = 512

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Horizon:
    """How far back a few sequences can be learned from, and what is forgotten of them.

    Parameters
    ----------
    lags
        Number of a layer → state → √(mean over the sequences of ‖dL/ds_{T−k}‖²) for k = 0, 1, …, where L is the sum of
        the top layer's last hidden state; where there are more than 512, evenly thinned, and ``"every"`` says how.
    forget_gate
        Mean of all forget gates at all steps; None where there are none.
    """

    lags: dict[str, dict[str, Any]]
    forget_gate: float | None


def horizon(network: Network, batch: Batch) -> Horizon:
    """Go back through time from the last step of each sequence.

    Parameters
    ----------
    network
        Of one direction; left as it is.
    batch
        Of which the first 16 sequences are taken; of such as are longer than 500 steps, fewer.
    """
    lengths = batch.lengths[: min(max(_MOST_STEPS // int(batch.lengths.max()), 1), ITEMS)]
    module = network.recurrent
    if next(module.parameters()).device.type != "cpu":
        # Many small operations, whose results are wanted here.
        module = copy.deepcopy(module).cpu()
    x = torch.from_numpy(batch.inputs[: int(lengths.max()), : len(lengths)])
    rows: dict[tuple[int, str], list[Array]] = {}
    gates: list[Array] = []
    with torch.no_grad(), one_blas_thread(), np.errstate(all="ignore"):
        (call,) = capture.run(module, x, gradients=False, modules=capture.recurrent_modules(module)).calls
        for item, length in enumerate(lengths):
            layers, gradients = _of_item(call, item, int(length))
            for index, layer in enumerate(layers):
                for state in layer.states:
                    norms = row_norms(gradients.signals[f"{layer.description.prefix}.{state}"][:length])
                    rows.setdefault((index, state), []).append(norms[::-1])
                gates += [signal[:length] for name, signal in layer.signals.items() if name == FORGET_GATE.name]
    every = -(-len(x) // _MOST_LAGS)
    lags: dict[str, dict[str, Any]] = {}
    for (index, state), found in rows.items():
        about = lags.setdefault(str(index), {"every": every} if every > 1 else {})
        about[state] = _root_mean_squares(found)[::every].tolist()
    return Horizon(lags, float(np.concatenate(gates).mean(dtype=np.float64)) if gates else None)


def _of_item(call: Call, item: int, length: int) -> tuple[list[recovery.RecoveredLayer], recovery.CallGradients]:
    """Return the layers of one sequence, and the gradients of the sum of its last hidden state."""
    layers = recovery.recover(call, item, call.path)
    output = np.zeros(tuple(call.hidden(item).shape))
    output[length - 1] = 1.0
    final = tuple(np.zeros(tuple(call.state(state, item).shape)) for state in call.final)
    return layers, recovery.gradients(call, layers, output, final)


def _root_mean_squares(rows: list[Array]) -> Array:
    """Return the root mean square at each place, over the rows that reach so far."""
    table = np.zeros((len(rows), max(map(len, rows))))
    for line, row in zip(table, rows, strict=True):
        line[: len(row)] = row
    counts = (np.arange(table.shape[1]) < np.array([[len(row)] for row in rows])).sum(axis=0)
    # Norms of columns: the squares of what has nearly vanished would be zero.
    found: Array = row_norms(np.ascontiguousarray(table.T)) / np.sqrt(counts)
    return found

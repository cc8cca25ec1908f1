"""A loop over a cell as one call: its steps are recovered together, and each is gone back through by itself.

Autograd tells for every step what flows back to the states after it, because those are tensors of the model: the next
step is a call of its own. So no step has to wait for the one behind it.
"""

from __future__ import annotations

from itertools import pairwise

from lstm_studio.engine.call import Call, Chain, Layout
from lstm_studio.engine.recovery import Array, CallGradients, RecoveredLayer


def as_one(chain: Chain) -> Call | None:
    """Return the calls of a chain, each of one item, as a single one without a batch.

    Returns
    -------
    Call or None
        None where they are not single steps of one layer, each of which goes on from the states of the last.
    """
    calls = chain.calls
    first, last = calls[0], calls[-1]
    steps = all(call.is_one_step and call.random is None and call.layout.items == 1 for call in calls)
    if len(calls) == 1 or not steps or first.cell.sizes(first.module).layers > 1:
        return None
    if not all(after.continues(before) for before, after in pairwise(calls)):
        # Somebody has changed the states in between.
        return None
    # In one piece: the first call may have been given no states, and then started at zero.
    entered = first.x.new_empty((len(calls), first.x.shape[-1]))
    hidden = first.output.new_empty((len(calls), first.output.shape[-1]))
    for step, call in enumerate(calls):
        entered[step] = call.x.reshape(-1)
        hidden[step] = call.output.reshape(-1)
    initial = tuple(state.reshape(1, -1) for state in first.initial)
    final = tuple(state.reshape(1, -1) for state in last.final)
    alone = Layout(1, None)
    about = (chain.path, first.module, first.cell, alone)
    return Call(*about, entered, first.given, initial, hidden, final, last.handed)


def gradients(call: Call, layer: RecoveredLayer, arrived: tuple[Array, ...]) -> CallGradients:
    """Return the gradients of a loop.

    Parameters
    ----------
    call
        What :func:`as_one` returned.
    layer
        What was recovered of it.
    arrived
        One (T, P or H) float64 array per state: dL with respect to the states as each step returned them.
    """
    weights = layer.weights.map(lambda tensor: tensor.detach().cpu().numpy())
    found = call.cell.gradients_apart(weights, layer.signals, arrived)
    named = {f"{layer.description.prefix}.{name}": array for name, array in found.signals.items()}
    return CallGradients(named, found.input, tuple(state[None] for state in found.initial))

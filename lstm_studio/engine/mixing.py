"""Whether a model lets the items of a batch act on each other between its recurrent layers, as a batch norm does.

Recurrent layers themselves keep them apart. Where nothing else mixes them, the gradients of one item need those of no
other, however many the objective reads.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from lstm_studio.engine.call import Call
from lstm_studio.engine.devices import no_inference


def mixes_items(calls: list[Call], item: int, reached: Callable[[Tensor], list[Tensor]]) -> bool:
    """Return whether what enters a call for other items depends on what an earlier call returned for this one.

    Found by going back through each piece of the graph from numbers drawn for the other items alone.

    Parameters
    ----------
    calls
        All calls of a forward pass, whose pieces of the graph are there.
    item
        The one that is traced.
    reached
        From a tensor to the leaves that it depends on.
    """
    rows = {id(call.output): (call.output, call.layout.rows(item)) for call in calls}
    rows |= {id(state): (state, call.layout.states(item)) for call in calls for state in call.final}
    random = torch.Generator().manual_seed(0)
    for call in calls:
        entering = [(call.x, call.layout.rows(item)), *((state, call.layout.states(item)) for state in call.initial)]
        for tensor, own in entering:
            leaves = reached(tensor) if tensor.requires_grad else []
            if not leaves:
                continue
            drawn = torch.randn(tensor.shape, generator=random).to(tensor)
            drawn[own] = 0
            with no_inference(), torch.enable_grad():
                products = (tensor * drawn).sum()
            found = torch.autograd.grad(products, leaves, retain_graph=True)
            if any(bool(part[rows[id(leaf)][1]].any()) for leaf, part in zip(leaves, found, strict=True)):
                return True
    return False

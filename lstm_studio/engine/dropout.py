"""What dropout between the layers of a stack did: drawn once more from the random numbers as they were at the call.

In training mode PyTorch's fused kernels multiply what each layer but the last returns by a factor of its own for each
step and unit, 0 or 1/(1 − p), and tell nobody. On the CPU they draw it from the same random numbers as everything else,
layer by layer; so the layers are run again, one at a time, with dropout between them. That this is what happened is
checked as everything that is recovered: the hidden states of the top layer must follow from what reached it. On CUDA
the factors come from a state that cuDNN keeps to itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence

from lstm_studio.engine.call import Call
from lstm_studio.engine.stacks import layer_with


def share_of(module: nn.Module) -> float:
    """Return p, the share that ``module`` drops out between its layers as it is now."""
    share = getattr(module, "dropout", None)
    return share if isinstance(share, float | int) and module.training and module.num_layers != 1 else 0.0


def random_state(module: nn.Module, device: torch.device) -> Tensor | None:
    """Return the state of the random numbers from which a call of ``module`` will draw dropout, or None."""
    return torch.get_rng_state() if share_of(module) and device.type == "cpu" else None


@dataclass(frozen=True, slots=True)
class PassedOn:
    """What one layer returned, and what became of it.

    Parameters
    ----------
    hidden
        (T, D·P), the layer's hidden states for one item of the batch.
    factor
        (T, D·P), what dropout multiplied them with.
    """

    hidden: Tensor
    factor: Tensor


def passed_on(call: Call, item: int) -> list[PassedOn]:
    """Return what each layer but the top one passed on; nothing where nothing was dropped out."""
    if call.random is None:
        return []
    module, layout = call.holder, call.layout
    count = call.cell.sizes(module).directions
    # Time first, as the kernel has it while it draws, with all items: they share the random numbers.
    x = call.x.detach()
    if layout.packed is None:
        x = x.unsqueeze(1) if layout.batch_axis is None else x.movedim(layout.batch_axis, 1).contiguous()
    states = tuple(state.detach() for state in call.initial)
    if layout.packed is None and layout.batch_axis is None:
        states = tuple(state.unsqueeze(1) for state in states)
    rows = layout.rows(item) if layout.packed is not None else (slice(None), item)
    found = []
    now = torch.get_rng_state()
    torch.set_rng_state(call.random)
    try:
        for index in range(call.cell.sizes(module).layers - 1):
            layer = _alone(module, index)
            before = tuple(state[index * count : (index + 1) * count].contiguous() for state in states)
            hx = None if not before else before if len(before) > 1 else before[0]
            # Nothing here learns; but then it is the very kernel of the call, and its hidden states to the last bit.
            with torch.set_grad_enabled(call.recorded):
                hidden = layer(x if layout.packed is None else _packed_as(layout.packed, x), hx)[0]
            data = hidden.data if isinstance(hidden, PackedSequence) else hidden
            factor = functional.dropout(torch.ones(data.shape, dtype=data.dtype), share_of(module), training=True)
            found.append(PassedOn(data[rows], factor[rows]))
            x = data * factor
    finally:
        torch.set_rng_state(now)
    return found


def _alone(module: nn.Module, index: int) -> nn.Module:
    """Return one layer of a stack as a module of its own, with its very weights; time first."""
    width = getattr(module, f"weight_ih_l{index}").shape[1]
    # Not all are parameters: some are computed from what is.
    layer = layer_with(module, width, lambda name: getattr(module, name.replace("_l0", f"_l{index}")))
    if layer is None:
        raise TypeError(f"{type(module).__name__} is no stack of PyTorch's")
    return layer


def _packed_as(packed: PackedSequence, data: Tensor) -> PackedSequence:
    return PackedSequence(data, packed.batch_sizes, packed.sorted_indices, packed.unsorted_indices)

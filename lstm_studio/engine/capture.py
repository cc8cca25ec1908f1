"""One ordinary forward pass of a model, with what goes in and out of its recurrent layers; the model left as found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from lstm_studio.engine.call import Call, Chain, Layout, chains
from lstm_studio.engine.devices import no_autocast
from lstm_studio.errors import TraceError
from lstm_studio.networks.cell import Cell
from lstm_studio.networks.cells import cell_of_module, cells


@dataclass(slots=True)
class Recording:
    """One forward pass.

    Parameters
    ----------
    calls
        The calls of recurrent modules, in order.
    returned
        What the model returned.
    chains
        The calls again, those together that follow each other in time, in the order of their first calls.
    """

    calls: list[Call] = field(default_factory=list)
    returned: Any = None
    chains: list[Chain] = field(default_factory=list)


def recurrent_modules(model: nn.Module) -> dict[str, tuple[nn.Module, Cell]]:
    """Return the modules of a registered kind by attribute path.

    For ``nn.LSTMCell``, ``nn.GRUCell`` and ``nn.RNNCell`` that is a stack of one layer with the same weights.

    Raises
    ------
    TraceError
        If there are none.
    """
    found = {}
    for path, module in model.named_modules():
        stack = _as_stack(module) if isinstance(module, nn.RNNCellBase) else module
        cell = cell_of_module(stack)
        if cell is not None:
            found[path] = (stack, cell)
    if not found:
        kinds = ", ".join(cell.title for cell in cells().values())
        raise TraceError(f"{type(model).__name__} contains no layer over time.", f"The kinds that are known: {kinds}.")
    return found


def _as_stack(module: nn.RNNCellBase) -> nn.Module:
    """Return the stack of one layer that computes what the cell computes at each step, with its very weights."""
    kind: Callable[..., nn.RNNBase]
    if isinstance(module, nn.LSTMCell):
        kind = nn.LSTM
    elif isinstance(module, nn.GRUCell):
        kind = nn.GRU
    elif isinstance(module, nn.RNNCell):
        kind = partial(nn.RNN, nonlinearity=module.nonlinearity)
    else:
        return module
    stack = kind(module.input_size, module.hidden_size, bias=module.bias, device="meta")
    for name in [name for name, _ in stack.named_parameters()]:
        weight = getattr(module, name.removesuffix("_l0"))
        delattr(stack, name)
        setattr(stack, name, weight.detach())
    return stack


def run(model: nn.Module, x: Tensor | PackedSequence, *inputs: Any, gradients: bool) -> Recording:
    """Call ``model(x, *inputs)`` once and record the calls of its recurrent modules.

    Recurrent modules run in the precision of their weights, under autocast too: what half precision does not tell
    cannot be recovered.

    Mode, ``requires_grad``, gradients, buffers, hooks and random state of the model are afterwards as before. With
    ``gradients``, the graph is cut at each recurrent module: what enters it ends one piece of the graph, what leaves it
    starts the next. The fused kernels so run without recording anything themselves.

    Parameters
    ----------
    model
        Contains at least one module of a registered kind.
    x
        Its first argument, on its device.
    inputs
        The others.
    gradients
        Whether to build the graph of everything that is not a recurrent module.

    Raises
    ------
    TraceError
        If a recurrent module receives what cannot be traced, or none is called.
    """
    recording = Recording()
    device = x.data.device
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(mode=False))
        stack.enter_context(torch.set_grad_enabled(gradients))
        stack.enter_context(_as_found(model, device))
        if device.type == "cuda":
            # cuDNN's default for recurrent layers is TF32, which has 10 bits of mantissa.
            stack.enter_context(torch.backends.cudnn.flags(allow_tf32=False))
        for path, (layers, cell) in recurrent_modules(model).items():
            _hook(stack, recording, model.get_submodule(path), (path, layers, cell))
        recording.returned = model(x, *inputs)
    if not recording.calls:
        raise TraceError(
            f"None of the recurrent layers of {type(model).__name__} was called in its forward pass.",
            "Trace the part of the model that calls them.",
        )
    recording.chains = chains(recording.calls)
    return recording


@dataclass(frozen=True, slots=True)
class _Entered:
    """What a call was given, in the precision of the module, before the graph was cut."""

    x: Tensor
    layout: Layout
    given: tuple[Tensor, ...]
    initial: tuple[Tensor, ...]
    outside: ExitStack


def _hook(stack: ExitStack, recording: Recording, module: nn.Module, about: tuple[str, nn.Module, Cell]) -> None:
    path, layers, cell = about
    entered: list[_Entered] = []
    title = f"{path or cell.kind} ({type(module).__name__ if module is not layers else cell.title})"
    features = cell.sizes(layers).input_size

    def before(
        module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        values = dict(zip(("input", "hx"), args, strict=False)) | kwargs
        sequence, states = values["input"], values.get("hx")
        packed = sequence if isinstance(sequence, PackedSequence) else None
        x = sequence if packed is None else packed.data
        if x.shape[-1] != features:
            raise TraceError(
                f"{title} takes {features} features a step, and receives {x.shape[-1]}.",
                "Give a sequence, or build a network, with the other's number of features.",
            )
        given = () if states is None else (states,) if isinstance(states, Tensor) else tuple(states)
        dtype = next((weight.dtype for weight in module.parameters()), x.dtype)
        x, initial = x.to(dtype), tuple(state.to(dtype) for state in given)
        outside = stack.enter_context(ExitStack())
        outside.enter_context(no_autocast(x.device))
        entered.append(_Entered(x, _layout(x, packed, module), given, initial, outside))
        cut = tuple(state.detach() for state in initial)
        hx = None if states is None else cut[0] if isinstance(states, Tensor) else cut
        return (x.detach() if packed is None else _repacked(packed, x.detach()), hx), {}

    def after(_module: nn.Module, _args: tuple[Any, ...], returned: Any) -> Any:
        now = entered.pop()
        now.outside.close()
        layout = now.layout
        output, states = (returned, returned) if layout.single_step else returned
        many = not isinstance(states, Tensor)
        final = tuple(states) if many else (states,)
        leaves = tuple(state.detach().requires_grad_(torch.is_grad_enabled()) for state in final)
        # The model receives copies: it may change its own in place, which a leaf would not allow.
        handed = tuple(leaf.clone() for leaf in leaves)
        onward: Any = handed if many else handed[0]
        hidden = leaves[0]
        if not layout.single_step:
            tensor = output if layout.packed is None else output.data
            hidden = tensor.detach().requires_grad_(torch.is_grad_enabled())
            copy = hidden.clone()
            onward = (copy if layout.packed is None else _repacked(output, copy), onward)
        recording.calls.append(Call(path, layers, cell, layout, now.x, now.given, now.initial, hidden, leaves, handed))
        return onward

    stack.callback(module.register_forward_pre_hook(before, with_kwargs=True).remove)
    stack.callback(module.register_forward_hook(after, prepend=True).remove)


def _layout(x: Tensor, packed: PackedSequence | None, module: nn.Module) -> Layout:
    if packed is not None:
        return Layout(int(packed.batch_sizes[0]), None, packed=packed)
    if isinstance(module, nn.RNNCellBase):
        return Layout(x.shape[0] if x.dim() == 2 else 1, 0 if x.dim() == 2 else None, single_step=True)
    if x.dim() != 3:
        return Layout(1, None)
    axis = 0 if module.batch_first else 1
    return Layout(x.shape[axis], axis)


def _repacked(packed: PackedSequence, data: Tensor) -> PackedSequence:
    return PackedSequence(data, packed.batch_sizes, packed.sorted_indices, packed.unsorted_indices)


@contextmanager
def _as_found(model: nn.Module, device: torch.device) -> Iterator[None]:
    """Put back random state, buffers and ``requires_grad``, which is off inside."""
    cuda = [device] if device.type == "cuda" else []
    # Only layers in training mode write to their buffers (batch normalisation's running statistics).
    buffers: Mapping[Tensor, Tensor] = {}
    if any(module.training for module in model.modules()):
        buffers = {buffer: buffer.clone() for buffer in model.buffers()}
    learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
    with torch.random.fork_rng(devices=cuda):
        for parameter in learning:
            parameter.requires_grad_(False)
        try:
            yield
        finally:
            for parameter in learning:
                parameter.requires_grad_(True)
            with torch.no_grad():
                for buffer, value in buffers.items():
                    buffer.copy_(value)

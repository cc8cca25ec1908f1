"""One ordinary forward pass of a model, with what goes in and out of its recurrent layers; the model left as found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from lstm_studio.errors import TraceError
from lstm_studio.networks.cell import Cell
from lstm_studio.networks.cells import cell_of_module, cells


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a recurrent module.

    Parameters
    ----------
    path
        Attribute path of the module in the model; empty for the model itself.
    module, cell
        The module and its kind.
    x
        What entered, as the module was given it: (T, F), (T, B, F) or, batch first, (B, T, F). Still attached to the
        graph of whatever computed it.
    initial
        The initial states it was given, likewise attached, each (L·D, [B,] P or H); empty where it started at zero.
    output
        The hidden states it returned, laid out as ``x``; a leaf of the graph of whatever follows.
    final
        The final states it returned, likewise leaves, each (L·D, [B,] P or H).
    """

    path: str
    module: nn.Module
    cell: Cell
    x: Tensor
    initial: tuple[Tensor, ...]
    output: Tensor
    final: tuple[Tensor, ...]

    @property
    def batched(self) -> bool:
        """Whether ``x`` and ``output`` have a batch axis."""
        return self.x.dim() == 3

    @property
    def batch_axis(self) -> int:
        """The axis of the batch in ``x`` and ``output``, where there is one."""
        return 0 if self.module.batch_first else 1

    @property
    def items(self) -> int:
        """B, 1 without a batch axis."""
        return self.x.shape[self.batch_axis] if self.batched else 1

    def item(self, tensor: Tensor, index: int) -> Tensor:
        """Return the (T, ·) part of one item of the batch, of a tensor laid out as ``x``."""
        return tensor.select(self.batch_axis, index) if self.batched else tensor

    def state_item(self, state: Tensor, index: int) -> Tensor:
        """Return the (L·D, ·) part of one item of the batch, of a tensor laid out as the states."""
        return state.select(1, index) if self.batched else state


@dataclass(slots=True)
class Recording:
    """The calls of one forward pass, in order, and what the model returned."""

    calls: list[Call] = field(default_factory=list)
    returned: Any = None


def recurrent_modules(model: nn.Module) -> dict[str, tuple[nn.Module, Cell]]:
    """Return the modules of a registered kind by attribute path.

    Raises
    ------
    TraceError
        If there are none.
    """
    found = {}
    for path, module in model.named_modules():
        cell = cell_of_module(module)
        if cell is not None:
            found[path] = (module, cell)
    if not found:
        kinds = " or ".join(cell.title for cell in cells().values())
        others = {
            type(module).__name__ for module in model.modules() if isinstance(module, nn.RNNBase | nn.RNNCellBase)
        }
        has = f"; it has {', '.join(sorted(others))}" if others else ""
        raise TraceError(
            f"{type(model).__name__} contains no {kinds} layer{has}.", "Give a model that contains one of these."
        )
    return found


def run(model: nn.Module, x: Tensor, *, gradients: bool) -> Recording:
    """Call ``model(x)`` once and record the calls of its recurrent modules.

    Mode, ``requires_grad``, gradients, buffers, hooks and random state of the model are afterwards as before. With
    ``gradients``, the graph is cut at each recurrent module: what enters it ends one piece of the graph, what leaves it
    starts the next. The fused kernels so run without recording anything themselves.

    Parameters
    ----------
    model
        Contains at least one module of a registered kind.
    x
        Its argument, on its device.
    gradients
        Whether to build the graph of everything that is not a recurrent module.

    Raises
    ------
    TraceError
        If a recurrent module receives what cannot be traced, or none is called, or one more than once.
    """
    recording = Recording()
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(mode=False))
        stack.enter_context(torch.set_grad_enabled(gradients))
        stack.enter_context(_as_found(model, x.device))
        if x.device.type == "cuda":
            # cuDNN's default for recurrent layers is TF32, which has 10 bits of mantissa.
            stack.enter_context(torch.backends.cudnn.flags(allow_tf32=False))
        for path, (module, cell) in recurrent_modules(model).items():
            _hook(stack, recording, path, module, cell)
        recording.returned = model(x)
    if not recording.calls:
        raise TraceError(
            f"None of the recurrent layers of {type(model).__name__} was called in its forward pass.",
            "Trace the part of the model that calls them.",
        )
    paths = [call.path for call in recording.calls]
    for path in paths:
        if paths.count(path) > 1:
            raise TraceError(
                f"{path or type(model).__name__} is called {paths.count(path)} times in one forward pass.",
                "Trace a model that calls each recurrent layer once, on the whole sequence.",
            )
    return recording


def _hook(stack: ExitStack, recording: Recording, path: str, module: nn.Module, cell: Cell) -> None:
    entered: list[tuple[Tensor, tuple[Tensor, ...]]] = []
    title = f"{path or cell.kind} ({cell.title})"

    def before(
        module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        values = dict(zip(("input", "hx"), args, strict=False)) | kwargs
        x, states = values["input"], values.get("hx")
        if isinstance(x, PackedSequence):
            raise TraceError(
                f"{title} receives a packed sequence.", "Trace one sequence at a time, without packing it."
            )
        if x.shape[-1] != module.input_size:
            raise TraceError(
                f"{title} takes {module.input_size} features a step, and receives {x.shape[-1]}.",
                "Give a sequence, or build a network, with the other's number of features.",
            )
        initial = () if states is None else (states,) if isinstance(states, Tensor) else tuple(states)
        entered.append((x, initial))
        cut = tuple(state.detach() for state in initial)
        hx = None if not cut else cut if len(cell.states) > 1 else cut[0]
        return (x.detach(), hx), {}

    def after(_module: nn.Module, _args: tuple[Any, ...], returned: tuple[Tensor, Any]) -> tuple[Tensor, Any]:
        output, states = returned
        final = (states,) if isinstance(states, Tensor) else tuple(states)
        x, initial = entered.pop()
        leaves = [tensor.detach().requires_grad_(torch.is_grad_enabled()) for tensor in (output, *final)]
        recording.calls.append(Call(path, module, cell, x, initial, leaves[0], tuple(leaves[1:])))
        # The model receives copies: it may change its own in place, which a leaf would not allow.
        onward = [leaf.clone() for leaf in leaves]
        return onward[0], onward[1] if isinstance(states, Tensor) else tuple(onward[1:])

    stack.callback(module.register_forward_pre_hook(before, with_kwargs=True).remove)
    stack.callback(module.register_forward_hook(after, prepend=True).remove)


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

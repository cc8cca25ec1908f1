"""One ordinary forward pass of a model, with what goes in and out of its recurrent layers; the model left as found."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Set
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from threading import RLock
from typing import Any

import torch
from numpy.random import mtrand
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from lstm_studio.engine.call import Call, Chain, Layout, chains
from lstm_studio.engine.devices import no_autocast, no_inference
from lstm_studio.engine.dropout import random_state
from lstm_studio.engine.stacks import layer_with, with_weights_of_now
from lstm_studio.errors import TraceError
from lstm_studio.networks.cell import Cell
from lstm_studio.networks.cells import cell_of_module, cells
from lstm_studio.networks.kernel_gates import Kept, kept_of

_IN_TURN = RLock()
"""Hooks belong to the model, so that of two threads each would record the calls of the other."""


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
        if cell is not None and any(w is not None and w.is_complex() for w in module._parameters.values()):
            raise TraceError(
                f"{path or type(module).__name__} has complex weights.", "Trace a network of real numbers."
            )
    if not found:
        raise _without_layers(model)
    return found


def _without_layers(model: nn.Module) -> TraceError:
    """Explain that no layers over time were found, perhaps because they are of a form that cannot be looked into."""
    name = type(model).__name__
    if any(isinstance(module, torch.jit.ScriptModule) for module in model.modules()):
        return TraceError(f"{name} is a TorchScript program.", "Trace the Python model that it was made from.")
    if any("quantized" in type(module).__module__ for module in model.modules()):
        return TraceError(f"The layers of {name} are quantised.", "Trace the model as it was before.")
    kinds = ", ".join(cell.title for cell in cells().values())
    return TraceError(f"{name} contains no layer over time.", f"The kinds that are known: {kinds}.")


def _as_stack(module: nn.RNNCellBase) -> nn.Module:
    """Return the stack of one layer that computes what the cell computes at each step, with its very weights."""
    stack = layer_with(module, module.input_size, lambda name: getattr(module, name.removesuffix("_l0")))
    return module if stack is None else stack


def run(
    model: nn.Module,
    x: Tensor | PackedSequence,
    *inputs: Any,
    gradients: bool,
    modules: Mapping[str, tuple[nn.Module, Cell]] | None = None,
) -> Recording:
    """Call ``model(x, *inputs)`` once and record the calls of its recurrent modules.

    Recurrent modules run in the precision of their weights, under autocast too: what half precision does not tell
    cannot be recovered.

    Mode, ``requires_grad``, gradients, buffers, attributes, hooks and random state of the model are afterwards as
    before. With ``gradients``, the graph is cut at each recurrent module: what enters it ends one piece of the graph,
    what leaves it starts the next. The fused kernels so run without recording anything themselves.

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
    modules
        Its :func:`recurrent_modules`, where they are known already.

    Raises
    ------
    TraceError
        If a recurrent module receives what cannot be traced, or none is called.
    """
    recording = Recording()
    known = recurrent_modules(model) if modules is None else modules
    device = x.data.device
    alone = not inputs and _is_alone(model, known)
    with (
        nullcontext() if alone else _IN_TURN,
        no_inference(),
        torch.set_grad_enabled(gradients),
        nullcontext()
        if alone and _changes_nothing(model)
        else _as_found(model, device, {id(module) for module, _ in known.values()}),
        # cuDNN's default for recurrent layers is TF32, which has 10 bits of mantissa.
        torch.backends.cudnn.flags(allow_tf32=False) if device.type == "cuda" else nullcontext(),
    ):
        if alone:
            _call(recording, model, known[""][1], x)
        else:
            with _learning_nothing(model), ExitStack() as stack:
                for path, (layers, cell) in known.items():
                    _hook(stack, recording, model.get_submodule(path), (path, layers, cell))
                recording.returned = model(x, *inputs)
    if not recording.calls:
        raise TraceError(
            f"None of the recurrent layers of {type(model).__name__} was called in its forward pass.",
            "Trace the part of the model that calls them.",
        )
    recording.chains = chains(recording.calls)
    return recording


def _is_alone(model: nn.Module, modules: Mapping[str, tuple[nn.Module, Cell]]) -> bool:
    """Return whether the model is its only recurrent module, and nobody changes what enters or leaves it."""
    itself = modules.get("", (None, None))[0] is model and len(modules) == 1
    return itself and not model._forward_pre_hooks and not model._forward_hooks


def _changes_nothing(module: nn.Module) -> bool:
    """Return whether a call draws nothing and leaves nothing behind: one of PyTorch's own layers, without dropout."""
    return type(module) in {nn.LSTM, nn.GRU, nn.RNN} and not (module.training and module.dropout)


def _call(recording: Recording, module: nn.Module, cell: Cell, x: Tensor | PackedSequence) -> None:
    """Call a recurrent module itself, which takes no hooks."""
    now = _entering(module, _title("", cell, module, module), cell.sizes(module).input_size, (x, None), copied=False)
    keeps = _keeps(recording, module, cell, now)
    with no_autocast(now.x.device), torch.set_grad_enabled(keeps):
        returned = module(now.cut(_alone(now.x, keeps)))
    about = ("", module, cell)
    recording.returned = _leaving(recording, about, now, returned, keeps=keeps, recorded=keeps, follows=False)


@dataclass(frozen=True, slots=True)
class _Entered:
    """What a call was given, in the precision of the module, before the graph was cut."""

    x: Tensor
    layout: Layout
    given: tuple[Tensor, ...]
    initial: tuple[Tensor, ...]
    random: Tensor | None

    def cut(self, x: Tensor) -> Tensor | PackedSequence:
        """Return ``x`` packed as the input was."""
        packed = self.layout.packed
        return x if packed is None else _repacked(packed, x)


def _title(path: str, cell: Cell, module: nn.Module, layers: nn.Module) -> str:
    return f"{path or cell.kind} ({type(module).__name__ if module is not layers else cell.title})"


def _entering(module: nn.Module, title: str, features: int, values: tuple[Any, Any], *, copied: bool) -> _Entered:
    """Look at what a call is given; with ``copied`` whoever gave it may change it in place afterwards."""
    sequence, states = values
    packed = sequence if isinstance(sequence, PackedSequence) else None
    x = sequence.data if isinstance(sequence, PackedSequence) else sequence
    if not isinstance(x, Tensor):
        raise TraceError(f"{title} receives {type(x).__name__}, not a tensor.", "Give it the steps as its first input.")
    if x.shape[-1] != features:
        raise TraceError(
            f"{title} takes {features} features a step, and receives {x.shape[-1]}.",
            "Give a sequence, or build a network, with the other's number of features.",
        )
    given = () if states is None else (states,) if isinstance(states, Tensor) else tuple(states)
    # One of its own where it has any: to go through all there are takes PyTorch long.
    own = next((weight for weight in module._parameters.values() if weight is not None), None)
    dtype = next(module.parameters(), x).dtype if own is None else own.dtype
    initial = tuple(state.to(dtype, copy=copied) for state in given)
    layout = layout_of(x, packed, module)
    return _Entered(x.to(dtype, copy=copied), layout, given, initial, random_state(module, x.device))


def _keeps(recording: Recording, module: nn.Module, cell: Cell, now: _Entered) -> bool:
    """Return whether to let autograd record a call, for what the kernel keeps while it does.

    That is several times as large as what a trace of one sequence keeps of it: so of one call, of one sequence.
    """
    layout = now.layout
    alone = not recording.calls and layout.items == 1 and layout.packed is None and not layout.single_step
    return alone and cell.keeps(module, now.x)


def _alone(x: Tensor, keeps: bool) -> Tensor:
    """Return what enters a call, cut off from the graph before it."""
    cut = x.detach()
    if not keeps:
        return cut
    # Autograd records nothing of a tensor that was made in inference mode.
    return (cut.clone() if cut.is_inference() else cut).requires_grad_()


def _leaving(
    recording: Recording,
    about: tuple[str, nn.Module, Cell],
    now: _Entered,
    returned: Any,
    *,
    keeps: bool,
    recorded: bool,
    follows: bool = True,
) -> Any:
    """Record the call, and return what the model goes on with, if anything follows."""
    path, layers, cell = about
    kept: dict[int, Kept] = {}
    layout, learns = now.layout, torch.is_grad_enabled()
    if not layout.single_step and not _is_usual(returned):
        raise TraceError(
            f"{path or cell.kind} ({type(layers).__name__}) does not return its output and its final states.",
            "Let its forward pass return what that of the class does which it is derived from.",
        )
    output, states = (returned, returned) if layout.single_step else returned
    many = not isinstance(states, Tensor)
    final = tuple(states) if many else (states,)
    leaves = tuple(_leaf(state, learns) for state in final)
    # The model receives copies: it may change its own in place, which a leaf would not allow.
    handed = tuple(leaf.clone() for leaf in leaves) if follows else leaves
    onward: Any = handed if many else handed[0]
    hidden = leaves[0]
    if not layout.single_step:
        tensor = output if layout.packed is None else output.data
        kept = kept_of(tensor) if keeps else {}
        hidden = _leaf(tensor, learns)
        # Where nothing of the model follows, an objective may.
        copy = hidden.clone() if follows or learns else hidden
        onward = (copy if layout.packed is None else _repacked(output, copy), onward)
    ends, copied = (hidden, leaves, handed), with_weights_of_now(layers)
    recording.calls.append(
        Call(path, layers, cell, layout, now.x, now.given, now.initial, *ends, now.random, kept, recorded, copied)
    )
    return onward


def _is_usual(returned: Any) -> bool:
    """Return whether a module returned its output and its final states."""
    if not isinstance(returned, tuple) or len(returned) != 2:
        return False
    output, states = returned
    every = states if isinstance(states, tuple) else (states,)
    return isinstance(output, Tensor | PackedSequence) and all(isinstance(state, Tensor) for state in every)


def _leaf(tensor: Tensor, learns: bool) -> Tensor:
    leaf = tensor.detach()
    return leaf.requires_grad_() if learns else leaf


def _hook(stack: ExitStack, recording: Recording, module: nn.Module, about: tuple[str, nn.Module, Cell]) -> None:
    path, layers, cell = about
    entered: list[tuple[_Entered, bool, ExitStack]] = []
    title = _title(path, cell, module, layers)
    features = cell.sizes(layers).input_size

    def before(
        module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        values: dict[int | str, Any] = dict(enumerate(args))
        values.update(kwargs)
        first, second = _places(title, args, kwargs)
        states = None if second is None else values[second]
        now = _entering(module, title, features, (values[first], states), copied=True)
        outside = stack.enter_context(ExitStack())
        outside.enter_context(no_autocast(now.x.device))
        keeps = _keeps(recording, module, cell, now)
        if keeps:
            outside.enter_context(torch.enable_grad())
        entered.append((now, keeps, outside))
        values[first] = now.cut(_alone(now.x, keeps))
        if second is not None and states is not None:
            cut = tuple(state.detach() for state in now.initial)
            values[second] = cut[0] if isinstance(states, Tensor) else cut
        return tuple(values[place] for place in range(len(args))), {name: values[name] for name in kwargs}

    def after(_module: nn.Module, _args: tuple[Any, ...], returned: Any) -> Any:
        now, keeps, outside = entered.pop()
        recorded = torch.is_grad_enabled()
        outside.close()
        return _leaving(recording, about, now, returned, keeps=keeps, recorded=recorded)

    stack.callback(module.register_forward_pre_hook(before, with_kwargs=True).remove)
    stack.callback(module.register_forward_hook(after, prepend=True).remove)


def _places(title: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[int | str, int | str | None]:
    """Return at which position, or under which name, a call has its input and its initial states, if any.

    A class derived from one of PyTorch's may call its input as it likes, and take more than that.
    """
    if not args and not kwargs:
        raise TraceError(f"{title} is called without an input.", "Give it the steps as its first input.")
    first = 0 if args else "input" if "input" in kwargs else next(iter(kwargs))
    if "hx" in kwargs:
        return first, "hx"
    second = args[1] if len(args) > 1 else None
    every = second if isinstance(second, tuple | list) else (second,)
    are_states = all(isinstance(state, Tensor) and state.is_floating_point() for state in every)
    return first, 1 if are_states else None


def layout_of(x: Tensor, packed: PackedSequence | None, module: nn.Module) -> Layout:
    """Return how a batch lies in what enters ``module``: ``x``, or the data ``x`` of a packed sequence."""
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
def _as_found(model: nn.Module, device: torch.device, recurrent: Set[int]) -> Iterator[None]:
    """Put back random states, buffers and attributes.

    Parameters
    ----------
    model, device
        The model, and where it is.
    recurrent
        ``id`` of the modules whose attributes stay: their weights may be among them, drawn or normalised anew for every
        call, and are yet to be looked at.
    """
    cuda = torch.cuda.get_rng_state(device) if device.type == "cuda" else None
    cpu = torch.get_rng_state()
    # With these, many a decoder draws whether it sees the truth or what it said itself.
    shared = mtrand._rand
    plain, numpy = random.getstate(), shared.get_state(legacy=False)
    parts = list(model.modules())
    inside = [vars(part) for part in parts if id(part) not in recurrent]
    inside += [own[name] for own in inside for name in ("_modules", "_parameters") if isinstance(own.get(name), dict)]
    owned = [held for held in (vars(part).get("_buffers") for part in parts) if isinstance(held, dict)]
    attributes = [(held, dict(held)) for held in (*inside, *owned)]
    # The model gets copies: the way back may need them as they were left, so that they cannot be put back in place.
    copies: dict[Tensor, Tensor] = {}
    for held in owned:
        for name, buffer in held.items():
            if buffer is not None:
                copy = copies.get(buffer)
                held[name] = copies[buffer] = buffer.detach().clone() if copy is None else copy
    try:
        yield
    finally:
        torch.set_rng_state(cpu)
        random.setstate(plain)
        shared.set_state(numpy)
        if cuda is not None:
            torch.cuda.set_rng_state(cuda, device)
        for held, before in attributes:
            for name in held.keys() - before.keys():
                del held[name]
            held.update(before)


@contextmanager
def _learning_nothing(model: nn.Module) -> Iterator[None]:
    """Put ``requires_grad`` off inside, so that autograd keeps nothing for the gradients of weights."""
    # What was made in inference mode never learns, and cannot be told to.
    learning = [
        parameter for parameter in model.parameters() if parameter.requires_grad and not parameter.is_inference()
    ]
    for parameter in learning:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in learning:
            parameter.requires_grad_(True)

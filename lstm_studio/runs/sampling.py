"""What one training step did inside the recurrent layers: taken from its own forward and backward pass.

Hooks keep what enters and leaves each call of a recurrent module, for some items of the batch, and the gradient that
the rest of the model injects there. When the backward pass ends, and before the optimiser changes the weights, gates
and states are recovered and back-propagation through time is replayed for those items (see ``engine.recovery``). The
hooks are there during a sampled step only; the model computes what it computes without them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial, wraps
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from lstm_studio.engine import recovery
from lstm_studio.engine.call import Call, Chain, Layout, chains
from lstm_studio.engine.capture import layout_of, recurrent_modules
from lstm_studio.engine.devices import no_autocast, one_blas_thread
from lstm_studio.engine.dropout import random_state, share_of
from lstm_studio.engine.recovery import Array
from lstm_studio.engine.trace import Provenance
from lstm_studio.errors import RunError
from lstm_studio.networks.cell import Cell
from lstm_studio.runs import looped
from lstm_studio.runs.blocks import gradient_dtype
from lstm_studio.runs.sampled import Part, Sample

_TOLERANCES = {torch.float16: 0.02, torch.bfloat16: 0.1}
"""Largest recovery error of hidden states that autocast computed: their precision, added up over the steps."""


@dataclass(slots=True, eq=False)
class _Seen:
    """One call of a module.

    Parameters
    ----------
    calls
        The call as it concerns each item; alone in its batch unless the items share random numbers.
    items
        How many items are taken.
    full
        The layout of the whole batch.
    single
        Whether it was a call of one step without an axis of time.
    shapes
        Of what the module returned, the output first.
    dtype
        In which the module computed.
    injected
        What the module returned, by place (the output first) → the gradient that arrived there.
    """

    calls: list[Call]
    items: int
    full: Layout
    single: bool
    shapes: list[tuple[int, ...]]
    dtype: torch.dtype
    injected: dict[int, Tensor] = field(default_factory=dict)


def _timed(method: Callable[..., Any]) -> Callable[..., Any]:
    """Add what a method of a sampler takes to its seconds."""

    @wraps(method)
    def timed(sampler: Sampler, *args: Any, **more: Any) -> Any:
        began = time.perf_counter()
        try:
            return method(sampler, *args, **more)
        finally:
            sampler.seconds += time.perf_counter() - began

    return timed


class Sampler:
    """Watches the recurrent modules of one model during single training steps.

    Parameters
    ----------
    model
        Any that contains recurrent modules.
    items
        How many items of the batch to take, the first ones.
    dtype
        Precision in which signals are kept: ``"float16"``, ``"float32"`` or ``"float64"``.
    scale
        Returns the factor by which the loss was multiplied before the backward pass, or None.
    begins
        Called when the first recurrent module of a step is about to be called.
    failed
        Told of every error; none is raised into the training.

    Attributes
    ----------
    seconds
        What watching the step has taken within its forward and backward pass.
    """

    def __init__(
        self,
        model: nn.Module,
        items: int,
        dtype: str,
        *,
        scale: Callable[[], float] | None,
        begins: Callable[[], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self._model, self._items, self._dtype = model, items, dtype
        self._scale, self._begins, self._failed = scale, begins, failed
        self._hooks = ExitStack()
        self._modules: dict[str, tuple[nn.Module, Cell]] = {}
        self._seen: list[_Seen] = []
        self._entered: list[tuple[Tensor, Layout, tuple[Tensor, ...], Tensor | None]] = []
        self._samples: list[Sample] | None = None
        self._dtypes: dict[str, torch.dtype] = {}
        self._queued = self._begun = self._reached = False
        self.seconds = 0.0

    def arm(self) -> None:
        """Watch the training step that follows."""
        self.disarm()
        self.seconds = 0.0
        self._modules = recurrent_modules(self._model)
        begins = self._model.register_forward_pre_hook(self._begin)
        self._hooks.callback(begins.remove)
        for path, (layers, cell) in self._modules.items():
            module = self._model.get_submodule(path)
            about = (path, layers, cell)
            entering = module.register_forward_pre_hook(self._before, with_kwargs=True)
            leaving = module.register_forward_hook(partial(self._after, about), prepend=True)
            self._hooks.callback(entering.remove)
            self._hooks.callback(leaving.remove)

    def disarm(self) -> None:
        """Leave the model as it was, and forget what was seen."""
        self._hooks.close()
        self._seen, self._entered, self._samples, self._dtypes = [], [], None, {}
        self._queued = self._begun = self._reached = False

    def take(self) -> list[Sample]:
        """Return what the step did, and stop watching; empty where no recurrent module was called."""
        try:
            if self._samples is None and self._seen:
                self._samples = self._replayed()
            return self._samples or []
        finally:
            self.disarm()

    def _begin(self, _module: nn.Module, _args: Any) -> None:
        """Start anew with each forward pass, until a backward pass has come to one: that is the one to keep."""
        if self._samples is None and not _inside_backward() and not self._reached:
            self._seen, self._entered = [], []

    @_timed
    def _before(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        try:
            if not self._begun:
                self._begun = True
                self._begins()
            values = dict(zip(("input", "hx"), args, strict=False)) | kwargs
            sequence, states = values["input"], values.get("hx")
            packed = sequence if isinstance(sequence, PackedSequence) else None
            x = sequence if packed is None else packed.data
            given = () if states is None else (states,) if isinstance(states, Tensor) else tuple(states)
            self._entered.append((x, layout_of(x, packed, module), given, random_state(module, x.device)))
        except Exception as error:  # noqa: BLE001 - the training goes on whatever happens here
            self._failed(error)

    @_timed
    def _after(self, about: tuple[str, nn.Module, Cell], _module: nn.Module, _args: Any, returned: Any) -> Any:
        """Keep a call, and return what the model goes on with."""
        try:
            if self._entered and isinstance(returned, tuple) and self._entered[-1][1].single_step:
                # A cell computes one state from the other. Whoever reads it gets it under another name, so that what
                # the rest of the model injects is told apart from what comes through the other state.
                returned = tuple(state.view_as(state) for state in returned)
            if self._entered:
                self._keep(about, returned)
        except Exception as error:  # noqa: BLE001 - the training goes on whatever happens here
            self._failed(error)
        return returned

    def _keep(self, about: tuple[str, nn.Module, Cell], returned: Any) -> None:
        x, layout, given, random = self._entered.pop()
        inside = _inside_backward()
        if self._samples is not None or (self._reached and not inside):
            return
        output, states = (returned, returned) if layout.single_step else returned
        final = (states,) if isinstance(states, Tensor) else tuple(states)
        output = final[0] if layout.single_step else output.data if layout.packed is not None else output
        ends = final if layout.single_step else (output, *final)
        learns, recorded = any(end.requires_grad for end in ends), torch.is_grad_enabled()
        with torch.no_grad():
            items = min(self._items, layout.items)
            tensors = (x, given, output, final, random)
            calls = _calls(about, self._dtype_of(*about), layout, tensors, items, recorded=recorded)
        seen = _Seen(calls, items, layout, layout.single_step, [tuple(end.shape) for end in ends], output.dtype)
        if inside:
            # Activation checkpointing runs a piece of the model again; the first time it may not have had a graph.
            again = next((old for old in self._seen if _is_same(old.calls[0], calls[0])), None)
            if again is None or not learns:
                return
            if any(end.requires_grad for end in again.calls[0].handed):
                return
            self._seen[self._seen.index(again)] = seen
        else:
            self._seen.append(seen)
        for place, end in enumerate(ends):
            if end.requires_grad:
                end.register_hook(partial(self._arrived, seen, place))

    def _dtype_of(self, path: str, module: nn.Module, cell: Cell) -> torch.dtype:
        """Return the precision of the weights of a module, which is looked for once a step."""
        if path not in self._dtypes:
            # The stack that stands for a cell has its weights, but not as parameters.
            first = next(module.parameters(), None)
            dtype = cell.layer(module, 0, False).input.dtype if first is None else first.dtype
            if dtype not in {torch.float32, torch.float64}:
                name = str(dtype).removeprefix("torch.")
                raise RunError(
                    f"{path or cell.kind} has weights in {name}, too coarse to recover its gates.",
                    "Keep the weights in float32 and let autocast compute in half precision.",
                )
            self._dtypes[path] = dtype
        return self._dtypes[path]

    @_timed
    def _arrived(self, seen: _Seen, place: int, gradient: Tensor) -> None:
        """Keep the gradient that the rest of the model injects; the last thing that the backward pass does is ours."""
        try:
            before = seen.injected.get(place)
            seen.injected[place] = gradient.detach() if before is None else before + gradient.detach()
            if not self._queued and seen in self._seen:
                self._queued = self._reached = True
                # Autograd calls it when this backward pass is over: the optimiser has not changed the weights yet.
                torch.autograd.Variable._execution_engine.queue_callback(self._replay)
        except Exception as error:  # noqa: BLE001 - the training goes on whatever happens here
            self._failed(error)

    @_timed
    def _replay(self) -> None:
        self._queued = False
        try:
            if self._seen:
                self._samples = self._replayed()
        except Exception as error:  # noqa: BLE001 - the training goes on whatever happens here
            self._failed(error)

    def _replayed(self) -> list[Sample]:
        device = self._seen[0].calls[0].x.device
        scale = 1.0 if self._scale is None else self._scale()
        quick = gradient_dtype(self._dtype) == "float32"
        samples = []
        with torch.no_grad(), no_autocast(device), one_blas_thread(), np.errstate(all="ignore"):
            for item in range(min(seen.items for seen in self._seen)):
                owner = {id(seen.calls[_place(seen, item)]): seen for seen in self._seen}
                for chain in chains([seen.calls[_place(seen, item)] for seen in self._seen]):
                    seen = [owner[id(call)] for call in chain.calls]
                    whole = looped.as_one(chain)
                    if whole is not None:
                        parts = [_loop(whole, seen, item, scale)]
                    else:
                        every = zip(chain.calls, seen, strict=True)
                        parts = [_part(call, one, item, chain, scale, quick=quick) for call, one in every]
                    samples.append(self._sample(item, chain, parts, seen[0].dtype))
        return samples

    def _sample(self, item: int, chain: Chain, parts: list[Part], dtype: torch.dtype) -> Sample:
        call, learns = chain.calls[0], any(part.gradients is not None for part in parts)
        about = Provenance(
            objective="loss" if learns else "",
            device=call.x.device.type,
            dtype=str(dtype).removeprefix("torch."),
            gradient_dtype=gradient_dtype(self._dtype) if learns else "",
            recovery_error=max(layer.error for part in parts for layer in part.layers),
            dropout=share_of(call.module),
        )
        return Sample(item, chain.path or call.cell.kind, call.cell, parts, about)


def _part(call: Call, seen: _Seen, item: int, chain: Chain, scale: float, *, quick: bool) -> Part:
    """Return one call of a chain, recovered for one item."""
    row = item if call.layout is seen.full else 0
    layers = recovery.recover(call, row, chain.path, tolerance=_TOLERANCES.get(seen.dtype))
    found = None
    if seen.injected:
        ends = [_item_part(seen, place, item) / scale for place in range(len(seen.shapes))]
        if seen.single:
            # The hidden state is the output, which counts once.
            output, final = ends[0][None], (np.zeros_like(ends[0][None]), *(end[None] for end in ends[1:]))
        else:
            output, final = ends[0], tuple(ends[1:])
        found = recovery.gradients(call, layers, output, final, quick=quick)
    return Part(layers, call.input(row).cpu().numpy(), found)


def _loop(call: Call, seen: list[_Seen], item: int, scale: float) -> Part:
    """Return a loop over a cell, recovered for one item; ``seen`` are its steps."""
    layers = recovery.recover(call, 0, call.path, tolerance=_TOLERANCES.get(seen[0].dtype))
    found = None
    if any(one.injected for one in seen):
        ends = [_item_parts(seen, place, item) / scale for place in range(len(seen[0].shapes))]
        # A stack returns its hidden state twice, as the output and as a state, and each has its part.
        arrived = ends if seen[0].single else [ends[0] + ends[1], *ends[2:]]
        found = looped.gradients(call, layers[0], tuple(arrived))
    return Part(layers, call.x.cpu().numpy(), found)


def _item_parts(seen: list[_Seen], place: int, item: int) -> Array:
    """Return the part of one item of the gradients that arrived at one end of every step, (T, ·) float64."""
    rows = [one.injected.get(place) for one in seen]
    nothing = next((torch.zeros_like(row) for row in rows if row is not None), None)
    if nothing is None:
        return np.zeros((len(seen), seen[0].shapes[place][-1]))
    layout = seen[0].full
    index: Any = layout.rows(item) if place == 0 else layout.states(item)
    if layout.single_step:
        index = ... if layout.batch_axis is None else item
    parts = [(nothing if row is None else row)[index].reshape(-1) for row in rows]
    array: Array = torch.stack(parts).cpu().double().numpy()
    return array


def _calls(
    about: tuple[str, nn.Module, Cell],
    dtype: torch.dtype,
    layout: Layout,
    tensors: tuple[Tensor, tuple[Tensor, ...], Tensor, tuple[Tensor, ...], Tensor | None],
    items: int,
    *,
    recorded: bool,
) -> list[Call]:
    """Return the call as it concerns each item, with copies: the model may change its tensors in place."""
    path, module, cell = about
    x, given, output, final, random = tensors
    if random is not None:
        whole = [part.detach().to(dtype).clone() for part in (x, *given, output, *final)]
        states = tuple(whole[1 : 1 + len(given)])
        ends = tuple(whole[2 + len(given) :])
        made = path, module, cell, layout, whole[0], given, states, whole[1 + len(given)], ends, final
        return [Call(*made, random, recorded=recorded)]
    calls = []
    for item in range(items):
        rows, places = layout.rows(item), layout.states(item)
        if layout.single_step:
            rows = places = ... if layout.batch_axis is None else item
        alone = Layout(1, None, single_step=layout.single_step)
        initial = tuple(state.detach()[places].to(dtype, copy=True) for state in given)
        # Of the last states of many steps only the shapes are looked at.
        ends = tuple(state.detach()[places].to(dtype, copy=layout.single_step) for state in final)
        hidden = ends[0] if layout.single_step else output.detach()[rows].to(dtype, copy=True)
        entered = x.detach()[rows].to(dtype, copy=True)
        calls.append(Call(path, module, cell, alone, entered, given, initial, hidden, ends, final))
    return calls


def _item_part(seen: _Seen, place: int, item: int) -> Array:
    """Return the part of one item of the gradient that arrived at one end, in float64; zero where none did."""
    layout = seen.full
    rows: Any
    if layout.single_step:
        rows = ... if layout.batch_axis is None else item
    else:
        rows = layout.rows(item) if place == 0 else layout.states(item)
    gradient = seen.injected.get(place)
    if gradient is None:
        # Of one item as of all: broadcast, it takes no memory.
        rows = rows.cpu().numpy() if isinstance(rows, Tensor) else rows
        nothing: Array = np.broadcast_to(np.float64(0), seen.shapes[place])[rows]
        return nothing
    array: Array = gradient[rows].cpu().double().numpy()
    return array


def _place(seen: _Seen, item: int) -> int:
    """Return which of the calls concerns an item."""
    return 0 if seen.calls[0].layout is seen.full else item


def _is_same(one: Call, other: Call) -> bool:
    """Return whether two calls of a module are of the same input."""
    return one.module is other.module and one.x.shape == other.x.shape and torch.equal(one.x, other.x)


def _inside_backward() -> bool:
    try:
        return bool(torch._C._current_graph_task_id() != -1)
    except AttributeError:
        return False

"""The itemised gradient: how much of what is felt at step t comes from the loss at step s.

A loss that is a sum over steps, L = Σ_s L_s, has the gradient dL/dh_t = Σ_s dL_s/dh_t. Each term goes back through time
on its own, as one row of a matrix; all rows go together, one product for all of them at each step.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from lstm_studio.engine.devices import one_blas_thread
from lstm_studio.engine.norms import row_norms
from lstm_studio.engine.recurrences import Recurrence, network_of, recurrences, refuse_dropout
from lstm_studio.engine.trace import Trace
from lstm_studio.errors import TraceError
from lstm_studio.networks.cells import cell_of_module
from lstm_studio.networks.network import Network
from lstm_studio.progress import Progress, ignore_progress
from lstm_studio.sequences.sequence import Sequence

Array = NDArray[np.float64]
StepLosses = Callable[[Tensor], Tensor]
"""From the (T, K) output, or the (T, D·P) hidden states without a read-out, to (T,) losses, each of its step only."""

OBJECTIVES = ("hidden", "next-step", "target")
"""The objectives that are sums over steps: each step's sum of hidden states, and those of ``ls.trace``."""
_ENTRIES = 1 << 22
"""Numbers per array that go back at once: rows, steps and units multiplied (here 32 MiB)."""


@dataclass(frozen=True, slots=True, eq=False)
class ItemisedGradient:
    """Where the gradient at each step comes from.

    Parameters
    ----------
    signal
        Of which the gradient is taken, ``"lstm.0.cell_state"`` or ``"input"``.
    norms
        (T, T) float64: ‖dL_s/dy_t‖ at row s, column t. They add up to more than the norm of the total where terms
        cancel.
    shares
        (T, T) float64, same layout: the part of ‖dL/dy_t‖ that L_s brings, ⟨dL_s/dy_t, dL/dy_t⟩ / ‖dL/dy_t‖; negative
        where it works against the total. The sum of each column is ``total``.
    total
        (T,) float64: ‖dL/dy_t‖, as ``norm.grad.…`` of a trace with the same objective.
    """

    signal: str
    norms: Array
    shares: Array
    total: Array


def itemised_gradient(
    trace: Trace,
    signal: str,
    objective: str | StepLosses = "hidden",
    *,
    network: Network | nn.Module | None = None,
    target: NDArray[Any] | None = None,
    progress: Progress = ignore_progress,
) -> ItemisedGradient:
    """Take the gradient of every step's loss with respect to a state, or the input, at every step.

    The time grows with the square of the number of steps; it is meant for up to some 500.

    Parameters
    ----------
    trace
        What the network did; of a :class:`Network` or a bare recurrent module.
    signal
        A state of one of its layers, ``"lstm.0.cell_state"``, or ``"input"``.
    objective
        ``"hidden"``: L_s is the sum of the top layer's hidden states at step s. ``"next-step"``, ``"target"``: the loss
        of ``ls.trace``, whose mean over the steps is taken apart. Or a callable from the output at all steps to the
        losses (T,), whose sum is L.
    network
        The network; None for the one that the trace remembers.
    target
        For ``"target"``, one per step; None for that of the sequence that the trace remembers.
    progress
        Told how far it has come.

    Raises
    ------
    TraceError
        If the objective is no sum over steps or cannot be formed, there is no such signal, or the network is missing,
        not the one of the trace, or neither a :class:`Network` nor a bare recurrent module.
    """
    given = _as_network(network_of(trace, network))
    refuse_dropout(trace)
    every = recurrences(trace, given)
    directions = given.sizes.directions
    stack = [every[first : first + directions] for first in range(0, len(every), directions)]
    prefix, state = _wanted(signal, stack)
    hidden = np.concatenate([found.in_time(found.signals[found.cell.states[0]]) for found in stack[-1]], axis=1)
    # The hidden states themselves, also where a read-out makes an output of them.
    readout = None if objective == "hidden" else given.readout
    upstream = _upstream(_losses(objective, trace, given, target), readout, hidden)

    steps = len(upstream)
    widest = max(hidden.shape[1], given.input_size)
    block = max(1, _ENTRIES // (steps * widest))
    norms, shares = np.empty((steps, steps)), np.empty((steps, steps))
    # The products of a step are so small that threads wait for each other for most of the time.
    with np.errstate(all="ignore"), one_blas_thread():
        whole = _gone_back(stack, upstream[None], prefix, state)[0]  # (T, ·)
        total = row_norms(whole)
        unit = whole / np.where(total > 0, total, 1.0)[:, None]
        for first in range(0, steps, block):
            progress(first / steps, "Taking the loss of each step back")
            rows = np.arange(first, min(first + block, steps))
            apart = np.zeros((len(rows), *upstream.shape))
            apart[np.arange(len(rows)), rows] = upstream[rows]
            found = _gone_back(stack, apart, prefix, state)  # (R, T, ·)
            norms[rows] = row_norms(found.reshape(len(rows) * steps, -1)).reshape(len(rows), steps)
            shares[rows] = np.einsum("stu,tu->st", found, unit)
    return ItemisedGradient(signal, norms, shares, total)


def _as_network(given: Network | nn.Module) -> Network:
    if isinstance(given, Network):
        return given
    if cell_of_module(given) is None:
        raise TraceError(
            f"{type(given).__name__} is neither a Network nor a bare recurrent module.",
            "Itemise the gradient of one that ls.new_network or ls.open_network returned.",
        )
    return Network(given)


def _wanted(signal: str, stack: list[list[Recurrence]]) -> tuple[str, int]:
    """Return the prefix of a layer and the number of its state; an empty prefix for the input.

    Raises
    ------
    TraceError
        If there is no such signal, or the way to it leads through the inputs of a kind that reads several at once.
    """
    known = {
        f"{found.layer.prefix}.{name}": (found.layer.prefix, number, depth)
        for depth, layer in enumerate(stack)
        for found in layer
        for number, name in enumerate(found.cell.states)
    }
    if signal != "input" and signal not in known:
        raise TraceError(f"There is no state {signal!r}.", f"Choose input, {', '.join(known)}.")
    prefix, number, depth = known.get(signal, ("", 0, -1))
    for layer in stack[depth + 1 :]:
        if layer[0].weights.input.ndim != 2:
            raise TraceError(
                f"{layer[0].layer.prefix} reads several steps at once, through which gradients are not itemised.",
                f"Choose a state of the top layer: {', '.join(known)}.",
            )
    return prefix, number


def _gone_back(stack: list[list[Recurrence]], upstream: Array, prefix: str, state: int) -> Array:
    """Back-propagate R losses at once.

    Parameters
    ----------
    stack
        The layers from the input up, each with its directions.
    upstream
        (R, T, D·P) in the order of time: with respect to what the top layer returned.
    prefix, state
        What is wanted, as from :func:`_wanted`.

    Returns
    -------
    ndarray
        (R, T, ·) in the order of time.
    """
    for layer in reversed(stack):
        below: Array | None = None
        for found, part in zip(layer, np.split(upstream, len(layer), axis=2), strict=True):
            is_wanted = found.layer.prefix == prefix
            taken = _through_time(found, part[:, ::-1] if found.reverse else part, state if is_wanted else None)
            if found.reverse:
                taken = taken[:, ::-1]
            if is_wanted:
                return taken
            below = taken if below is None else below + taken
        if below is None:
            raise TypeError("a layer has no direction")
        upstream = below
    return upstream


def _through_time(found: Recurrence, upstream: Array, state: int | None) -> Array:
    """Go back through one layer and direction; return the derivatives of a state, or with None of the input."""
    pull_back = found.cell.pull_back(found.weights, found.signals, inputs=state is None)
    sizes = [found.signals[name].shape[1] for name in found.cell.states]
    rows = tuple(np.zeros((len(upstream), size)) for size in sizes)
    steps: list[Array] = []
    for step in reversed(range(found.steps)):
        pulled = pull_back(step, (rows[0] + upstream[:, step], *rows[1:]))
        wanted = pulled.input if state is None else pulled.totals[state]
        if wanted is None:
            raise TypeError(f"{found.cell.kind} gives no derivatives of its input")
        steps.append(wanted)
        rows = pulled.before
    return np.stack(steps[::-1], axis=1)


def _losses(objective: str | StepLosses, trace: Trace, network: Network, target: NDArray[Any] | None) -> StepLosses:
    """Return the losses of all steps as a function of the output.

    Raises
    ------
    TraceError
        If the network or the sequence does not have what the objective needs.
    """
    if not isinstance(objective, str):
        return objective
    if objective == "hidden":
        return lambda hidden: hidden.sum(dim=1)
    if objective not in OBJECTIVES:
        raise TraceError(
            f"The objective {objective!r} is no sum over steps.", f"Choose {', '.join(OBJECTIVES)}, or a function."
        )
    if network.readout is None:
        raise TraceError(f"The objective {objective!r} needs a read-out, and the network has none.", "Choose 'hidden'.")
    scores_classes = network.readout_kind == "classes"
    if objective == "next-step":
        return _next_step(torch.tensor(trace["input"]), network.readout.out_features, scores_classes)
    if target is None:
        sequence = None if trace.origin is None else trace.origin.sequence
        target = sequence.target if isinstance(sequence, Sequence) else None
    if target is None or len(target.shape) == 0 or len(target) != trace.steps:
        has = "is for the whole sequence" if target is not None else "is missing"
        raise TraceError(f"The target {has}: there is no loss at each step.", "Give a target with a row per step.")
    return _against(torch.tensor(target), network.readout.out_features, scores_classes)


def _next_step(x: Tensor, outputs: int, scores_classes: bool) -> StepLosses:
    if outputs != x.shape[1] or len(x) < 2:
        raise TraceError(
            f"The read-out gives {outputs} values, the sequence has {len(x)} steps of {x.shape[1]}.",
            "Give a network that predicts every feature, and at least 2 steps.",
        )

    def losses(output: Tensor) -> Tensor:
        predicted = output.softmax(-1) if scores_classes else output
        errors = (predicted[:-1] - x[1:].to(output)).square().sum(dim=1) / x[1:].numel()
        return torch.cat((errors, errors.new_zeros(1)))

    return losses


def _against(target: Tensor, outputs: int, scores_classes: bool) -> StepLosses:
    is_class = not target.is_floating_point()
    fits = scores_classes and target.dim() == 1 if is_class else target.dim() == 2 and target.shape[1] == outputs
    if not fits:
        raise TraceError(
            f"The target is {tuple(target.shape)}, which {outputs} outputs a step cannot be compared with.",
            "Give a network with as many outputs as the target has values, or classes.",
        )

    def losses(output: Tensor) -> Tensor:
        if is_class or scores_classes:
            wanted = target.long() if is_class else target.to(output)
            return functional.cross_entropy(output, wanted, reduction="none") / len(target)
        return (output - target.to(output)).square().sum(dim=1) / target.numel()

    return losses


def _upstream(losses: StepLosses, readout: nn.Module | None, hidden: NDArray[Any]) -> Array:
    """Return dL_s/dh_s for all s, (T, D·P) float64, of losses of the output, or of the hidden states themselves.

    Raises
    ------
    TraceError
        If the losses are not one per step, or that of one step depends on another.
    """
    states = torch.tensor(np.asarray(hidden, np.float64), requires_grad=True)
    precise = None if readout is None else copy.deepcopy(readout).to("cpu", torch.float64)
    with torch.inference_mode(mode=False), torch.enable_grad():
        each = losses(states if precise is None else precise(states))
    if each.shape != (len(hidden),) or not each.requires_grad:
        raise TraceError("The objective does not return a loss for each step.", "Return a tensor of (T,) losses.")
    (found,) = torch.autograd.grad(each.sum(), states, retain_graph=True)
    # Signs that a loss which mixes steps does not keep apart.
    signs = torch.randint(0, 2, (len(hidden),), generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 2 - 1
    (signed,) = torch.autograd.grad(each, states, signs)
    if not torch.allclose(signed, signs[:, None] * found, rtol=1e-6, atol=1e-12, equal_nan=True):
        raise TraceError(
            "The loss at one step depends on the output at another.", "Choose an objective that is a sum over steps."
        )
    upstream: Array = found.numpy()
    return upstream

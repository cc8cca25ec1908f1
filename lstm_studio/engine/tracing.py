"""From a network and a sequence to a trace."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Collection, Mapping
from collections.abc import Sequence as Names
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.nn.utils.rnn import PackedSequence

from lstm_studio.arguments import one_of, shown, whole_number, wrong, yes_or_no
from lstm_studio.engine import capture, devices, further, losses, recovery
from lstm_studio.engine.dropout import share_of
from lstm_studio.engine.gradients import gradients_of
from lstm_studio.engine.jacobians import memory_curves
from lstm_studio.engine.losses import Context, CustomObjective
from lstm_studio.engine.objectives import Objective, ObjectiveKind, parse, patterns
from lstm_studio.engine.recovery import Array
from lstm_studio.engine.trace import Origin, Provenance, Trace
from lstm_studio.errors import TraceError
from lstm_studio.networks.cell import Cell
from lstm_studio.networks.deferred import Arrays, Deferred, parts_of
from lstm_studio.networks.network import Network, fingerprint
from lstm_studio.sequences.sequence import Sequence

_DTYPES = {"float32": torch.float32, "float64": torch.float64}


def trace(
    network: Network | nn.Module,
    sequence: Sequence | ArrayLike | Tensor | PackedSequence,
    *inputs: Any,
    item: int = 0,
    gradients: bool = True,
    objective: str | CustomObjective | None = None,
    memory: bool = False,
    device: str = "auto",
    dtype: str = "float32",
) -> Trace:
    """Run a network over a sequence and record what its recurrent layers did at every step.

    The module runs once, as it is; gates and states are recovered from the hidden states it returned and checked
    against them. The module is left as found.

    Parameters
    ----------
    network
        A :class:`Network`, a bare recurrent module, or any module that calls some, among them ``nn.LSTMCell`` and its
        kin. What a layer does in several calls is one sequence of steps where each starts with the states that the one
        before returned; calls that start anew are numbered, ``encoder.rnn#2.0.hidden_state``.
    sequence
        A :class:`Sequence`, or an array or tensor of the shape that the module takes: (T, F), or with a batch; or, for
        a bare module, a packed one.
    inputs
        Whatever else the module is called with, after the sequence; tensors are put on its device and in its precision.
    item
        Which sequence of the batch to trace, from 0.
    gradients
        Whether to take gradients.
    objective
        The scalar L of which gradients are taken: ``"last-hidden"``, ``"hidden:{t}:{unit}"``, ``"next-step"``,
        ``"target"``, or a callable from the output tensor to a scalar. None: ``"target"`` where the sequence has one
        and the network has a read-out, else ``"last-hidden"``.
    memory
        Whether to take the norms of the Jacobians too, as ``jac.…``; see :func:`~.jacobians.memory_curves`.
    device
        ``"auto"`` (where the module is), ``"cpu"``, ``"cuda"`` or ``"mps"``.
    dtype
        Precision of the states: ``"float32"`` or ``"float64"``.

    Returns
    -------
    Trace
        Signals (T, H) as each cell declares them; ``input`` (T, F), what enters the first recurrent layer; ``output``
        (T, K) for a :class:`Network` with a read-out, as probabilities where that scores classes; and with gradients
        ``grad.…`` (T, ·), the total derivative through time, and ``norm.grad.…`` (T,) float64, its Euclidean norm at
        each step.

    Raises
    ------
    TraceError
        If the sequence does not fit the network, the objective cannot be formed, or the recovered hidden states differ
        from the module's own by more than 1e-4 (float32) or 1e-10 (float64).
    """
    devices.keep_freed_memory()
    arguments = {"item": item, "gradients": gradients, "objective": objective, "memory": memory}
    arguments |= {"device": device, "dtype": dtype}
    item, dtype = whole_number("item", item, TraceError), one_of("dtype", dtype, _DTYPES, TraceError)
    gradients, memory = yes_or_no("gradients", gradients, TraceError), yes_or_no("memory", memory, TraceError)
    given = network.module if isinstance(network, Network) else network
    if not isinstance(given, nn.Module):
        raise TraceError(f"{shown(given)} is no network.", "Give what ls.new_network returned, or a torch.nn.Module.")
    module, where = _placed(given, device, _DTYPES[dtype])
    modules = capture.recurrent_modules(module)
    x = _input(modules, network, sequence, _DTYPES[dtype], where)
    target = sequence.target if isinstance(sequence, Sequence) else None
    readout_kind = network.readout_kind if isinstance(network, Network) else ""
    meant = chosen_objective(objective, has_target=target is not None and bool(readout_kind))
    wanted = meant if gradients else None

    others = tuple(further.moved(other, _DTYPES[dtype], where) for other in inputs)
    if others:
        further.check(module, modules, x, others)
    recording = capture.run(module, x, *others, gradients=gradients, modules=modules)
    items = min(call.layout.items for call in recording.calls)
    if item >= items:
        raise TraceError(f"There is no item {item} in a batch of {items}.", "Items are counted from 0.")
    context = Context(recording, item, target, readout_kind)
    with (
        devices.no_inference(),
        torch.no_grad(),
        devices.no_autocast(where),
        devices.blas_threads(torch.get_num_threads()),
    ):
        layers = {
            id(call): recovery.recover(call, item, chain.path) for chain in recording.chains for call in chain.calls
        }
    for call in recording.calls:
        # Larger than everything that is kept of it.
        call.kept.clear()
    every = [
        layer for chain in recording.chains for layer in recovery.joined([layers[id(call)] for call in chain.calls])
    ]

    entered = [_numpy(layers[id(call)][0].entering) for call in recording.chains[0].calls]
    arrays: dict[str, Array | Deferred] = {"input": np.concatenate(entered)}
    sound: set[str] = set()
    for layer in every:
        parts = layer.parts_in_time()
        arrays |= parts
        if layer.finite:
            sound.update(parts)
    if readout_kind:
        output = losses.item_output(context).detach()
        arrays["output"] = _numpy(output.softmax(-1) if readout_kind == "classes" else output)

    found = None if wanted is None else gradients_of(wanted, context, layers)
    if found is not None:
        arrays |= found.arrays
    traced = Trace(
        Arrays(arrays),
        tuple(layer.description for layer in every),
        Provenance(
            network=fingerprint(given),
            sequence=sequence.fingerprint if isinstance(sequence, Sequence) else "",
            objective="" if wanted is None else in_words(wanted),
            device=where.type,
            dtype=dtype,
            gradient_dtype="" if found is None else found.dtype,
            recovery_error=max(layer.error for layer in every),
            non_finite=non_finite(arrays, [layer.description.prefix for layer in every if layer.reverse], sound),
            vanished=() if found is None else found.vanished,
            dropout=max(share_of(call.module) for call in recording.calls),
        ),
        # Going on from a trace is for networks of one input.
        None if inputs else Origin(network, sequence, arguments, target),
    )
    if not memory:
        return traced
    return replace(traced, arrays=Arrays({**parts_of(traced.arrays), **memory_curves(traced, network)}))


def chosen_objective(objective: str | CustomObjective | None, *, has_target: bool) -> Objective | CustomObjective:
    """Return the objective that is meant, by default the target where there is one to reach."""
    if objective is None:
        return Objective(ObjectiveKind.TARGET if has_target else ObjectiveKind.LAST_HIDDEN)
    if isinstance(objective, str):
        return parse(objective)
    if isinstance(objective, Objective) or callable(objective):
        return objective
    raise wrong("objective", objective, TraceError, f"Give a function, or write one of {patterns()}.")


def _placed(module: nn.Module, device: str, dtype: torch.dtype) -> tuple[nn.Module, torch.device]:
    """Return the module, or a copy on the device and of the precision wanted, and where it is."""
    # One round through the modules, where ``parameters()`` and ``buffers()`` take one each and look for doubles.
    tensors = [
        tensor
        for part in module.modules()
        for owned in (part._parameters, part._buffers)
        for tensor in owned.values()
        if tensor is not None
    ]
    if any(tensor.is_meta or is_lazy(tensor) for tensor in tensors):
        raise TraceError(
            f"{type(module).__name__} has weights without numbers.", "Load them, or call the model once, before."
        )
    here = tensors[0].device if tensors else torch.device("cpu")
    where = here if isinstance(device, str) and device == "auto" else devices.choose(device)
    if where.type == "mps" and dtype == torch.float64:
        raise TraceError("MPS has no float64.", "Choose float32, or the CPU.")
    # Autograd records nothing of weights that were made in inference mode; copies of them are ordinary ones.
    if all(
        tensor.device == where
        and (tensor.dtype == dtype or not tensor.is_floating_point())
        and not tensor.is_inference()
        for tensor in tensors
    ):
        return module, where
    with devices.no_inference():
        try:
            copied = _copied(module)
        except (TypeError, RuntimeError, pickle.PicklingError) as error:
            precision = str(dtype).removeprefix("torch.")
            raise TraceError(
                f"{type(module).__name__} is not on {where.type} in {precision}, and cannot be copied to be ({error}).",
                f"Put it there with model.to({where.type!r}, torch.{precision}), or trace it as it is.",
            ) from error
        return copied.to(device=where, dtype=dtype), where


def _copied(module: nn.Module) -> nn.Module:
    """Return a copy of a module that may keep states with the graph that led to them, which is not copied."""
    kept: dict[int, Any] = {}
    left = [value for part in module.modules() for value in vars(part).values()]
    while left:
        value = left.pop()
        if isinstance(value, Tensor) and (not value.is_leaf or value.is_inference()):
            kept[id(value)] = value.detach().clone()
        elif isinstance(value, tuple | list):
            left += value
    return copy.deepcopy(module, kept)


def _input(
    modules: Mapping[str, tuple[nn.Module, Cell]],
    network: Network | nn.Module,
    sequence: Sequence | ArrayLike | Tensor | PackedSequence,
    dtype: torch.dtype,
    where: torch.device,
) -> Tensor | PackedSequence:
    """Return what the module is called with."""
    path, (recurrent, cell) = next(iter(modules.items()))
    bare = isinstance(network, Network) or not path
    name = f"The sequence {sequence.name!r}" if isinstance(sequence, Sequence) and sequence.name else "The sequence"
    if isinstance(sequence, PackedSequence):
        data = sequence.data.to(device=where, dtype=dtype if sequence.data.is_floating_point() else None)
        order = sequence.sorted_indices
        return PackedSequence(data, sequence.batch_sizes, None if order is None else order.to(where))
    if isinstance(network, nn.RNNCellBase):
        raise TraceError(
            f"A bare {type(network).__name__} computes one step.",
            "Give the model that calls it in a loop over the steps.",
        )
    values = sequence.values if isinstance(sequence, Sequence) else sequence
    x = values.detach() if isinstance(values, Tensor) else _as_tensor(values, name)
    if x.is_complex() or x.layout != torch.strided or x.is_meta:
        raise TraceError(f"{name} is not an array of real numbers.", "Give its numbers as an array or a dense tensor.")
    x = x.to(device=where, dtype=dtype if bare or x.is_floating_point() else None)
    if bare:
        size = cell.sizes(recurrent).input_size
        if x.dim() not in {2, 3}:
            raise TraceError(f"{name} has {x.dim()} axes.", "Give (steps, features), or that with a batch axis.")
        if x.shape[-1] != size:
            source = f" ({network.source})" if isinstance(network, Network) and network.source else ""
            found = x.shape[-1]
            raise TraceError(
                f"{name} has {_features(found)} a step, the network{source} takes {size}.",
                f"Choose a network for {_features(found)} (input_size={found}), or a sequence with {_features(size)}.",
            )
    if x.dim() == 0:
        raise TraceError(f"{name} is a single number.", "Give (steps, features), or what the model takes.")
    if x.numel() == 0:
        raise TraceError(f"{name} has no steps (its shape is {tuple(x.shape)}).", "Give at least one step.")
    if isinstance(sequence, Sequence) and not bare:
        return x.unsqueeze(0 if recurrent.batch_first else 1)
    return x


def _features(count: int) -> str:
    return f"{count} feature{'' if count == 1 else 's'}"


def _as_tensor(values: ArrayLike, name: str) -> Tensor:
    """Return numbers as a tensor, whatever their order in memory."""
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise TraceError(f"{name} is no array ({error}).", "Give rows of the same length.") from error
    if array.dtype.kind not in "biuf":
        raise TraceError(
            f"{name} is {type(values).__name__}, of {array.dtype}, not an array of numbers.",
            "Give its numbers first; what else the model takes follows them.",
        )
    wide = array.dtype.kind == "f" and array.dtype.itemsize > np.dtype(np.float64).itemsize
    return torch.tensor(np.ascontiguousarray(array, np.float64 if wide else array.dtype.newbyteorder("=")))


def non_finite(
    arrays: Mapping[str, Array | Deferred], reverse: Names[str], sound: Collection[str] = ()
) -> tuple[tuple[str, int], ...]:
    """Return the arrays that are NaN or infinite somewhere, with the step where that began as computed.

    Parameters
    ----------
    arrays
        By full name.
    reverse
        The prefixes of layers that run backwards in time.
    sound
        Names of arrays that are known to be finite.
    """
    began = []
    looked: dict[int, bool] = {}
    largest: dict[int, float] = {}
    with devices.one_blas_thread():
        for name, array in arrays.items():
            if name in sound or isinstance(array, Deferred) or name.startswith("norm."):
                continue
            norm = arrays.get(f"norm.{name}")
            if isinstance(norm, np.ndarray):
                # A gradient whose norms are finite is finite, and the norms are less to look at: all that share memory.
                shared = norm.base if isinstance(norm.base, np.ndarray) else norm
                if id(shared) not in largest:
                    largest[id(shared)] = float(shared.max())
                limit = float(np.finfo(array.dtype).max)
                if largest[id(shared)] < limit or norm.max() < limit:
                    continue
            # The signals of a layer share their memory: a look at all of it is enough where there is nothing to find.
            whole = array.base if isinstance(array.base, np.ndarray) else array
            if id(whole) not in looked:
                looked[id(whole)] = _is_finite(whole)
            if looked[id(whole)]:
                continue
            bad = np.flatnonzero(~np.isfinite(array).all(axis=1))
            if len(bad):
                gradient = name.startswith("grad.")
                backwards = gradient != any(name.removeprefix("grad.").startswith(f"{prefix}.") for prefix in reverse)
                began.append((name, int(bad[-1 if backwards else 0])))
    return tuple(began)


def _is_finite(array: Array) -> bool:
    """Return whether all entries are finite; that they are may go unnoticed where they are huge."""
    if not array.flags.c_contiguous:
        return bool(np.isfinite(array).all())
    return bool(np.isfinite(np.vdot(array, array)))


def in_words(objective: Objective | CustomObjective) -> str:
    """Return the name of an objective, as it is written or as its function is called."""
    if isinstance(objective, Objective):
        return str(objective)
    name: str = getattr(objective, "__qualname__", type(objective).__name__)
    return name


def _numpy(tensor: Tensor) -> Array:
    array: Array = tensor.detach().cpu().numpy()
    return array

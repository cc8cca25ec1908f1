"""The LSTM with a forget gate (Hochreiter & Schmidhuber 1997; Gers, Schmidhuber & Cummins 2000): ``torch.nn.LSTM``.

With all steps counted from 0 and c_{−1}, h_{−1} given::

    a_t = W_ih x_t + b_ih + W_hh h_{t−1} + b_hh            four blocks, in the order i, f, g, o
    i, f, o = σ(a),  g = tanh(a)
    c_t = f_t ⊙ c_{t−1} + i_t ⊙ g_t
    h_t = o_t ⊙ tanh(c_t)                                   or W_hr (o_t ⊙ tanh(c_t)) with a projection (Sak 2014)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lstm_studio.errors import NetworkError
from lstm_studio.networks.backward_workspace import Workspace
from lstm_studio.networks.bounds import Bounds, Rounding
from lstm_studio.networks.cell import Cell, Gradients, Held, HeldSteps, Layer, PullBack, PulledBack, Recovered
from lstm_studio.networks.deferred import Deferred, computed
from lstm_studio.networks.four_gates import BEFORE, IN_WEIGHT_ORDER, SQUASHES, STOPS, reachable_by_gates
from lstm_studio.networks.held_by_weights import by_themselves, held_by_weights, is_held
from lstm_studio.networks.kernel_gates import are_same, cell_states_in, gates_in, kept_of, may_be_kept
from lstm_studio.networks.local_factors import FACTORED, local_factors
from lstm_studio.networks.option import Option
from lstm_studio.networks.preactivations import later_preactivations, preactivations, side_by_side
from lstm_studio.networks.products import STEPS_PER_CHECK, has_vanished, repeated_product, row_product
from lstm_studio.networks.scan import linear_scan
from lstm_studio.networks.signals import (
    ADMITTED,
    CANDIDATE,
    CELL_STATE,
    FORGET_GATE,
    HIDDEN_STATE,
    INPUT_GATE,
    OUTPUT_GATE,
    RETAINED,
    Signal,
    preactivation,
)
from lstm_studio.networks.sizes import Sizes
from lstm_studio.networks.slopes import log10_sigmoid, sigmoid
from lstm_studio.networks.sums import WeightedSum, block_sums
from lstm_studio.networks.weight_count import stacked_weight_count
from lstm_studio.networks.wiring import Wiring
from lstm_studio.networks.wirings.gated import lstm_wiring

if TYPE_CHECKING:
    from torch import Tensor, nn

_GATE_NAMES = tuple(signal.name for signal in IN_WEIGHT_ORDER)
_SIGMOIDS_FIRST = (0, 1, 3, 2)
_MOST_STEPS = 64
"""Steps of a block of back-propagation: of more, what is new in memory costs more than the blocks save."""
_FACTORS_AT_ONCE = 1 << 13
"""Steps times units of which the local factors are computed together: half the time is that of starting to."""
_SHOWN = (FORGET_GATE, INPUT_GATE, CANDIDATE, ADMITTED, OUTPUT_GATE, RETAINED, CELL_STATE, HIDDEN_STATE)
_DECLARED = _SHOWN + tuple(preactivation(signal) for signal in _SHOWN if signal in IN_WEIGHT_ORDER)


class _LSTM(Cell):
    kind = "lstm"
    title = "LSTM"
    gates = 4
    states = (HIDDEN_STATE.name, CELL_STATE.name)
    can_step = True
    stops = MappingProxyType(STOPS)
    options = (
        Option("proj_size", "Projected hidden state, units", 0),
        Option("forget_bias", "Forget gate's first bias", None),
    )

    def accepts(self, module: nn.Module) -> bool:
        from torch import nn

        return isinstance(module, nn.LSTM)

    def build(self, sizes: Sizes, options: Mapping[str, Any]) -> nn.Module:
        import torch
        from torch import nn

        chosen = self._checked(sizes, options)
        module = nn.LSTM(
            sizes.input_size,
            sizes.hidden_size,
            sizes.layers,
            bias=sizes.bias,
            bidirectional=sizes.bidirectional,
            proj_size=chosen["proj_size"],
        )
        if chosen["forget_bias"] is not None:
            forget = slice(sizes.hidden_size, 2 * sizes.hidden_size)
            with torch.no_grad():
                for name, tensor in module.named_parameters():
                    if name.startswith("bias"):
                        # PyTorch adds two bias vectors: the first carries the value, the second starts at zero.
                        tensor[forget] = chosen["forget_bias"] if name.startswith("bias_ih") else 0.0
        return module

    def parameter_count(self, sizes: Sizes, options: Mapping[str, Any]) -> int:
        return stacked_weight_count(sizes, self.gates, self._checked(sizes, options)["proj_size"] or None)

    def module_options(self, module: nn.Module) -> dict[str, Any]:
        return {"proj_size": module.proj_size}

    def signals(self, module: nn.Module) -> tuple[Signal, ...]:
        if not module.proj_size:
            return _DECLARED
        return tuple(signal.with_levels(None) if signal is HIDDEN_STATE else signal for signal in _DECLARED)

    def wiring(self, options: Mapping[str, Any]) -> Wiring:
        return lstm_wiring(projected=bool(options.get("proj_size")))

    def run(self, layers: Sequence[Layer[Tensor]], x: Tensor, initial: tuple[Tensor, ...]) -> Tensor:
        import torch

        flat = [weight for direction in layers for weight in direction.flat()]
        before = tuple(state.unsqueeze(1) for state in initial)
        bias = layers[0].input_bias is not None
        output = torch.lstm(x.unsqueeze(1), before, flat, bias, 1, 0.0, False, len(layers) == 2, False)[0]
        return output.squeeze(1)

    def keeps(self, module: nn.Module, x: Tensor) -> bool:
        return may_be_kept(module, x)

    def recover_kept(
        self, layer: Layer[Tensor], x: Tensor, h: Tensor, initial: tuple[Tensor, ...], block: Tensor
    ) -> Recovered | None:
        import torch

        h0, c0 = initial
        gates = gates_in(block, len(h), len(c0))
        before = None if gates is None else later_preactivations(layer, x, h, h0, self.gates)
        if gates is None or before is None:
            return None
        arrays = side_by_side(5, h, len(c0))
        # NumPy takes half as long again as PyTorch to copy rows that lie apart.
        torch.from_numpy(arrays[:4]).copy_(torch.from_numpy(gates).permute(1, 0, 2))
        i, f, g, o, c = arrays
        # A copy: whoever gave it may change it before what is retained is asked for.
        start, exposed = c0.numpy().copy(), np.empty_like(c)
        with np.errstate(all="ignore"):
            _kept_cell_states((i, f, g), start, block, out=c, scratch=exposed)
            np.tanh(c, exposed)
            exposed *= o
        # What is wrong with i, f or g is wrong with c too, and what is wrong with c stays so to the last step; what is
        # wrong with o is wrong with the hidden state, which is compared with the module's own.
        if not np.isfinite(c[-1]).all():
            return None
        # Views of what cannot be written to need not be made so one by one.
        arrays.flags.writeable = False
        later = dict(zip(SQUASHES, before, strict=True)) | _later_products(i, f, g, c, start)
        return Recovered(dict(zip((*_GATE_NAMES, CELL_STATE.name), arrays, strict=True)), exposed, True, later)

    def recover(self, layer: Layer[Tensor], x: Tensor, h: Tensor, initial: tuple[Tensor, ...]) -> Recovered:
        import torch

        h0, c0 = initial
        arrays = side_by_side(11, h, len(c0))
        preactivations(layer, x, h, h0, out=arrays[:4], order=_SIGMOIDS_FIRST)
        # From here on many small operations: on the CPU whatever the device, since every result is wanted there.
        arguments, squashed = torch.from_numpy(arrays[:3]), torch.from_numpy(arrays[4:7])
        torch.sigmoid(arguments, out=squashed)
        # NumPy's tanh takes a ninth of the time of PyTorch's.
        np.tanh(arrays[3], arrays[7])
        i, f, o, g, admitted, retained, c = arrays[4:]
        start = c0.cpu().numpy()
        np.multiply(i, g, admitted)
        linear_scan(f, admitted, start, c)
        _retained(f, c, start, retained)
        exposed = np.tanh(c)
        exposed *= o
        signals = {ADMITTED.name: admitted, RETAINED.name: retained, CELL_STATE.name: c}
        for place, gate in enumerate(_SIGMOIDS_FIRST):
            signals[BEFORE[gate].name], signals[IN_WEIGHT_ORDER[gate].name] = arrays[place], arrays[4 + place]
        return Recovered(signals, exposed if layer.projection is None else exposed @ layer.projection.cpu().numpy().T)

    def reachable(
        self,
        layer: Layer[NDArray[Any]],
        x: NDArray[Any],
        h: NDArray[Any],
        initial: tuple[NDArray[Any], ...],
        rounding: Rounding,
    ) -> Bounds:
        before = rounding.sums((x, layer.input), (h, layer.recurrent), bias=layer.bias)
        found = reachable_by_gates(before, initial[1], rounding)
        exposed = found.output_gate.times(found.cell_state.through(np.tanh))
        return exposed if layer.projection is None else exposed.multiplied(layer.projection)

    def gradients(
        self,
        layer: Layer[NDArray[Any]],
        signals: Mapping[str, NDArray[Any]],
        upstream: NDArray[Any],
        final: tuple[NDArray[Any], ...],
        held: HeldSteps | None = None,
    ) -> Gradients:
        """Back-propagate through time; the local factors of some steps at once are computed beforehand.

        dL/dh_t = upstream_t + W_hhᵀ dL/da_{t+1};  dL/dc_t = dL/dm_t ⊙ o_t ⊙ tanh′(c_t) + f_{t+1} ⊙ dL/dc_{t+1}, with m
        the exposed memory; dL/da_t = (dL/dc_t ⊙ [g i′, c_{t−1} f′, i g′], dL/dm_t ⊙ tanh(c_t) o′).
        """
        signals = self.stopped(signals, held)
        no_h, no_c = ((held or {}).get(state) for state in self.states)
        steps, units = signals[CELL_STATE.name].shape
        dh = upstream.copy()  # (T, P)
        dh[-1] += final[0]
        into_states = _where_any(upstream)
        found = np.empty((5, steps, units))  # dL/dc, then dL/da
        entering = np.empty((steps, layer.input.shape[1]))
        recurrent = repeated_product(layer.recurrent.T)
        through_time, dc_t = np.empty(dh.shape[1]), np.empty(units)
        project = None if layer.projection is None else repeated_product(layer.projection.T)

        block = -(-steps // -(-steps // _MOST_STEPS))  # all blocks of about the same length
        space = Workspace(block, units, np.float64)
        factors, states, onward, flat = space.factors, space.states, space.onward, space.blame
        multiply, add, copy, carried, left, later = np.multiply, np.add, np.copyto, final[1], states, None
        for start, stop, local in _factors_going_back(signals, block):
            count = stop - start
            factors[:count] = local
            going = zip(space.rows[count - 1 :: -1], into_states[start:stop][::-1], strict=True)
            for place, (row, has_upstream) in enumerate(going, steps - stop):
                factors_t, exposure, states_t, cells, dm_t, onward_t, kept, da_t = row
                if place % STEPS_PER_CHECK == 0 and later is not None and has_vanished(left):
                    later, carried = None, np.zeros(units)
                dh_t = dm_t if project is None else dh[steps - 1 - place]
                if later is None:
                    copy(dh_t, dh[steps - 1 - place])
                elif has_upstream:
                    recurrent(later, through_time)
                    add(dh[steps - 1 - place], through_time, dh_t)
                else:
                    recurrent(later, dh_t)
                if no_h is not None:
                    dh_t[no_h[steps - 1 - place]] = 0
                if project is not None:
                    project(dh_t, dm_t)
                multiply(dm_t, exposure, dc_t)
                add(dc_t, carried, dc_t)
                if no_c is not None:
                    dc_t[no_c[steps - 1 - place]] = 0
                copy(cells, dc_t)
                multiply(factors_t, states_t, onward_t)
                carried, left, later = kept, onward_t, da_t
            if project is None:
                dh[start:stop] = states[:count, 4]
            found[0, start:stop] = states[:count, 0]
            found[1:, start:stop] = onward[:count, 1:].transpose(1, 0, 2)
            entering[start:stop] = row_product(flat[:count], layer.input)

        recurrent(flat[0], through_time)
        blame = dict(zip((signal.name for signal in BEFORE), found[1:], strict=True))
        named = {HIDDEN_STATE.name: dh, CELL_STATE.name: found[0], **blame}
        return Gradients(named, entering, (through_time, onward[0, 0].copy()))

    def gradients_apart(
        self, layer: Layer[NDArray[Any]], signals: Mapping[str, NDArray[Any]], arrived: tuple[NDArray[Any], ...]
    ) -> Gradients:
        """Back-propagate through every step by itself; the equations are those of :meth:`gradients`."""
        dh, dc = arrived
        steps, units = dc.shape
        factors = _local_factors(signals, slice(None)).astype(np.float64, copy=False)
        dm = dh if layer.projection is None else dh @ layer.projection.astype(np.float64)
        dc = dc + dm * factors[:, 5]
        blame = np.empty((steps, 4, units))
        np.multiply(dc[:, None], factors[:, 1:4], blame[:, :3])
        np.multiply(dm, factors[:, 4], blame[:, 3])
        flat = blame.reshape(steps, -1)
        named = dict(zip((signal.name for signal in BEFORE), blame.transpose(1, 0, 2), strict=True))
        through = flat[0] @ layer.recurrent.astype(np.float64)
        states = {HIDDEN_STATE.name: dh, CELL_STATE.name: dc}
        return Gradients(states | named, row_product(flat, layer.input), (through, factors[0, 0] * dc[0]))

    def pull_back(
        self, layer: Layer[NDArray[Any]], signals: Mapping[str, NDArray[Any]], *, inputs: bool = False
    ) -> PullBack:
        """Return the product with the Jacobian of one step; the equations are those of :meth:`gradients`.

        The four blocks of da reach h_{t−1} through one matrix for all that comes by c_t, Σ diag(local) W, and one for
        what comes by the output gate: half the work of a product with all four.
        """
        units = signals[CELL_STATE.name].shape[1]
        outputs = layer.recurrent.shape[1]
        factors = _local_factors(signals, slice(None)).astype(np.float64, copy=False)
        forget = sigmoid(signals[BEFORE[1].name])
        weights = layer.recurrent if not inputs else np.concatenate((layer.recurrent, layer.input), axis=1)
        weights = weights.astype(np.float64)
        blocks = weights.reshape(4, units, -1)
        project = None if layer.projection is None else layer.projection.astype(np.float64)

        def pull_back(step: int, rows: tuple[NDArray[Any], ...]) -> PulledBack:
            dh, carried = rows
            now = factors[step]
            dm = dh if project is None else dh @ project
            dc = carried + dm * now[5]
            if 2 * len(dh) <= units:
                # So few rows that adding up the blocks would take longer.
                blame = np.empty((len(dh), 4, units))
                np.multiply(dc[:, None], now[1:4], blame[:, :3])
                np.multiply(dm, now[4], blame[:, 3])
                through = blame.reshape(len(dh), -1) @ weights
            else:
                by_input, by_forget, by_candidate, by_output = now[1:5, :, None]
                by_cell = blocks[0] * by_input
                by_cell += blocks[1] * by_forget
                by_cell += blocks[2] * by_candidate
                through = dc @ by_cell
                through += dm @ (blocks[3] * by_output)
            before = (through[:, :outputs], dc * forget[step])
            return PulledBack((dh, dc), before, through[:, outputs:] if inputs else None)

        return pull_back

    def by_hand(
        self, layer: Layer[NDArray[Any]], entering: NDArray[Any], states: tuple[NDArray[Any], ...], held: Held
    ) -> dict[str, NDArray[Any]]:
        """Compute steps one after the other with some values held, in place: what a step creates costs it most."""
        h, c = states
        steps, units = len(entering), len(c)
        order = list(_SIGMOIDS_FIRST)

        def reordered(rows: NDArray[Any]) -> NDArray[Any]:
            return rows.reshape(4, units, -1)[order].reshape(rows.shape)

        recurrent = reordered(layer.recurrent)
        from_input = entering.reshape(steps, 4, units)[:, order].reshape(steps, 4 * units)
        arrays = np.empty((steps, 12, units), entering.dtype)
        flat = arrays.reshape(steps, 12 * units)
        places = [BEFORE[gate] for gate in order] + [IN_WEIGHT_ORDER[gate] for gate in order]
        places += [ADMITTED, RETAINED, CELL_STATE]
        hidden = np.empty((steps, len(h)), entering.dtype)

        stages = ((0, 4), (4, 8), (8, 9), (9, 10), (10, 11))
        before, gates, admitted, retained, state = (_held_in_row(held, places, units, *ends) for ends in stages)
        shown = held.get(HIDDEN_STATE.name)
        views = (flat[:, : 4 * units], arrays[:, :3], arrays[:, 4:7], *arrays.transpose(1, 0, 2)[3:])
        for row, from_input_t, h_t, a_t, into, squashed, a_g, i, f, o, g, l_t, k_t, c_t, exposed in zip(
            flat, from_input, hidden, *views, strict=True
        ):
            np.dot(recurrent, h, a_t)
            np.add(a_t, from_input_t, a_t)
            if before:
                row[before[0]] = before[1]
            np.negative(into, squashed)
            np.exp(squashed, squashed)
            np.add(squashed, 1, squashed)
            np.reciprocal(squashed, squashed)
            np.tanh(a_g, g)
            if gates:
                row[gates[0]] = gates[1]
            np.multiply(i, g, l_t)
            if admitted:
                row[admitted[0]] = admitted[1]
            np.multiply(f, c, k_t)
            if retained:
                row[retained[0]] = retained[1]
            np.add(k_t, l_t, c_t)
            if state:
                row[state[0]] = state[1]
            np.tanh(c_t, exposed)
            np.multiply(o, exposed, exposed)
            h_t[:] = exposed if layer.projection is None else layer.projection @ exposed
            if shown:
                h_t[shown[0]] = shown[1]
            h, c = h_t, c_t
        signals = dict(zip((signal.name for signal in places), arrays.transpose(1, 0, 2), strict=False))
        return signals | {HIDDEN_STATE.name: hidden}

    def by_kernel(
        self, layer: Layer[Tensor], x: Tensor, initial: tuple[Tensor, ...], held: Held
    ) -> Mapping[str, NDArray[Any] | Deferred] | None:
        """Hold values by weights that make them so: the kernel then computes all steps at once, and keeps the gates."""
        import torch

        h0, c0 = initial
        constant = held_by_weights(layer, c0, held) if self.keeps(layer.module, x) else None
        if constant is None:
            return None
        with torch.enable_grad():
            weights = [weight.requires_grad_() for weight in constant.layer.flat()]
            start = (h0[None, None], constant.start[None, None])
            output = torch.lstm(x.unsqueeze(1), start, weights, True, 1, 0.0, True, False, False)[0]
        kept = kept_of(output).get(weights[0].data_ptr())
        h = output.detach().squeeze(1)
        detached = constant.layer.map(_detached)
        found = None if kept is None else self.recover_kept(detached, x, h, (h0, constant.start), kept.block)
        hidden = h.numpy()
        if (
            found is None
            or not are_same(found.hidden_state, hidden)
            or not is_held(constant, found.signals[CELL_STATE.name], hidden, held)
        ):
            return None
        shown, values = held.get(HIDDEN_STATE.name, ([], []))
        hidden[:, shown] = values
        before = later_preactivations(layer, x, h, h0, self.gates)
        if before is None:
            return None
        own = {HIDDEN_STATE.name: hidden}
        signals: dict[str, NDArray[Any] | Deferred] = {**found.signals, **found.later}
        if constant.instead:
            states = (h0.numpy(), c0.numpy().copy())
            own |= by_themselves(
                layer, {**found.signals, **own}, x.numpy(), states, instead=constant.instead, held=held
            )
            now = {**found.signals, **own}
            i, f, g, c = (now[signal.name] for signal in (INPUT_GATE, FORGET_GATE, CANDIDATE, CELL_STATE))
            signals |= _later_products(i, f, g, c, states[1])
        signals |= {**dict(zip(SQUASHES, before, strict=True)), **own}
        for name in held.keys() - own.keys():
            # A copy: what was recovered cannot be written to, and what is deferred others may ask for.
            exact = computed(signals[name]).copy()
            units, values = held[name]
            exact[:, units] = values
            signals[name] = exact
        return signals

    def sums(self, layer: Layer[NDArray[Any]]) -> dict[str, WeightedSum]:
        """Return the four sums."""
        return block_sums(layer, SQUASHES, HIDDEN_STATE.name)

    def direct_path(self, signals: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
        """Return log10 f_t, (T, H): from the pre-activation, exact where f_t rounds to 0."""
        return log10_sigmoid(signals[BEFORE[1].name])

    def _checked(self, sizes: Sizes, options: Mapping[str, Any]) -> dict[str, Any]:
        chosen = self.checked_options(options)
        proj_size = chosen["proj_size"]
        if not isinstance(proj_size, int) or not 0 <= proj_size < sizes.hidden_size:
            raise NetworkError(
                f"proj_size is {proj_size!r} with {sizes.hidden_size} hidden units.",
                "Give 0 for none, or a whole number below the hidden size.",
            )
        return chosen


def _detached(weight: Tensor) -> Tensor:
    return weight.detach()


def _where_any(rows: NDArray[Any]) -> list[bool]:
    """Return for each row whether any number is not 0; where none is, which is usual, in a fifth of the time."""
    found: list[bool] = np.any(rows, axis=1).tolist() if rows.any() else [False] * len(rows)
    return found


def _kept_cell_states(
    gates: Iterable[NDArray[Any]], start: NDArray[Any], block: Tensor, *, out: NDArray[Any], scratch: NDArray[Any]
) -> None:
    """Write the cell states that follow from the gates i, f and g and the first cell state to ``out``, (T, H).

    Each step goes on from the cell state that the fused kernel kept in its block, which must then be what the step
    before came to; where it is not, or none was kept, the steps are computed one after the other.
    """
    i, f, g = gates
    np.multiply(i, g, out)
    out[0] += f[0] * start
    kept = cell_states_in(block, len(out), out[0])
    if kept is not None:
        np.multiply(f[1:], kept, scratch[1:])
        np.add(out[1:], scratch[1:], out[1:])
        if are_same(out[:-1], kept, scratch[:-1]):
            return
    linear_scan(f, np.multiply(i, g, scratch), start, out)


def _later_products(
    i: NDArray[Any], f: NDArray[Any], g: NDArray[Any], c: NDArray[Any], start: NDArray[Any]
) -> dict[str, Deferred]:
    """Return what is admitted and what is retained, to be computed when they are asked for."""
    return {
        ADMITTED.name: Deferred(c.shape, c.dtype, partial(np.multiply, i, g)),
        RETAINED.name: Deferred(c.shape, c.dtype, partial(_retained, f, c, start)),
    }


def _retained(f: NDArray[Any], c: NDArray[Any], start: NDArray[Any], out: NDArray[Any] | None = None) -> NDArray[Any]:
    """Return f_t ⊙ c_{t−1}, (T, H), with the cell state before the first step."""
    retained = np.empty_like(c) if out is None else out
    np.multiply(f[0], start, retained[0])
    np.multiply(f[1:], c[:-1], retained[1:])
    return retained


def _held_in_row(
    held: Held, places: Sequence[Signal], units: int, first: int, last: int
) -> tuple[list[int], list[float]] | None:
    """Return where in a step's row the signals from the first place to before the last are held, and at what."""
    found: tuple[list[int], list[float]] = ([], [])
    for place, signal in enumerate(places[first:last], first):
        where, values = held.get(signal.name, ([], []))
        found[0].extend(place * units + unit for unit in where)
        found[1].extend(values)
    return found if found[0] else None


def _factors_going_back(signals: Mapping[str, NDArray[Any]], block: int) -> Iterator[tuple[int, int, NDArray[Any]]]:
    """Yield the first step, the one after the last, and the local factors (≤ block, 6, H) of each block, last first."""
    steps, units = signals[CELL_STATE.name].shape
    most = block * max(1, _FACTORS_AT_ONCE // (block * units))
    for stop in range(steps, 0, -most):
        first = max(0, stop - most)
        local = _local_factors(signals, slice(first, stop))
        for end in range(stop, first, -block):
            begin = max(first, end - block)
            yield begin, end, local[begin - first : end - first]


def _local_factors(signals: Mapping[str, NDArray[Any]], steps: slice) -> NDArray[Any]:
    """Return the local factors of some steps, (steps, 6, H), in the precision of the signals, or in float64.

    The latter where the former does not hold them.
    """
    cell_states = signals[CELL_STATE.name][steps]
    local = np.empty((len(cell_states), 6, cell_states.shape[1]), cell_states.dtype)
    if not local_factors(signals, steps, local):
        local = local.astype(np.float64)
        local_factors({name: signals[name][steps].astype(np.float64) for name in FACTORED}, slice(None), local)
    return local


CELL = _LSTM()

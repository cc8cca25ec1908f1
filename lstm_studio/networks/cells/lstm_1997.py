"""The LSTM of 1997 (Hochreiter & Schmidhuber, Neural Computation 9(8)): memory blocks without a forget gate.

A block of s cells shares one input and one output gate. With b = H/s blocks, all steps counted from 0 and c_{−1},
h_{−1} given::

    a_t = W_ih x_t + W_hh y_{t−1} + b_ih                   rows in the order i (b), g (H), o (b)
    i, o = σ(a),  g = tanh(a)
    c_t = c_{t−1} + i_t ⊙ g_t                              each gate for the s cells of its block
    h_t = o_t ⊙ tanh(c_t)

y is h, or with gate-to-gate recurrence, as in most of the paper's experiments, [h, i, o]. The paper squashes with
4σ(a) − 2 = 2·tanh(a/2) in place of tanh(a) and with 2σ(c) − 1 = tanh(c/2) in place of tanh(c).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lstm_studio.errors import NetworkError
from lstm_studio.networks.bounds import Bounds, Rounding, exactly, stacked
from lstm_studio.networks.cell import Edit, Gradients, HeldSteps, Layer, PullBack, PulledBack, Recovered
from lstm_studio.networks.option import Option
from lstm_studio.networks.products import repeated_product, row_product
from lstm_studio.networks.signals import (
    ADMITTED,
    CANDIDATE,
    CELL_STATE,
    HIDDEN_STATE,
    INPUT_GATE,
    OUTPUT_GATE,
    Operand,
    Phase,
    Signal,
    preactivation,
)
from lstm_studio.networks.sizes import Sizes
from lstm_studio.networks.slopes import sigmoid, sigmoid_slope, squashed, tanh_slope
from lstm_studio.networks.stacked import Shapes, StackedCell, options_of
from lstm_studio.networks.sums import Source, Squash, WeightedSum, block_sums
from lstm_studio.networks.told import Told
from lstm_studio.networks.wiring import Wiring
from lstm_studio.networks.wirings.gated import wiring_of_1997

if TYPE_CHECKING:
    from torch import Tensor, nn

_IN_WEIGHT_ORDER = (INPUT_GATE, CANDIDATE, OUTPUT_GATE)
_BEFORE = tuple(preactivation(signal) for signal in _IN_WEIGHT_ORDER)
_SQUASHES = {
    signal.name: squash for signal, squash in zip(_BEFORE, (Squash.SIGMOID, Squash.TANH, Squash.SIGMOID), strict=True)
}
# Without a forget gate all of the memory is retained.
_CELL_STATE = CELL_STATE.made_of(Phase.REMEMBER, Operand(CELL_STATE.name, before=True), "+", Operand(ADMITTED.name))
_SHOWN = (INPUT_GATE, CANDIDATE, ADMITTED, OUTPUT_GATE, _CELL_STATE, HIDDEN_STATE)
_DECLARED = (*_SHOWN, *_BEFORE)


_INF = float("inf")
_STOPS = {
    ADMITTED.name: {_BEFORE[1].name: _INF, CANDIDATE.name: 0.0},
    **{signal.name: {preactivation(signal).name: _INF} for signal in _IN_WEIGHT_ORDER},
    **{before.name: {before.name: _INF} for before in _BEFORE},
}


class _LSTM1997(StackedCell):
    kind = "lstm-1997"
    title = "1997 LSTM"
    states = (HIDDEN_STATE.name, CELL_STATE.name)
    can_step = True
    stops = MappingProxyType(_STOPS)
    options = (
        Option("block_size", "Cells in a memory block", 1),
        Option("gate_recurrence", "Gates read the gates of the step before", False, (False, True)),
    )

    def checked(self, sizes: Sizes, options: Mapping[str, Any]) -> dict[str, Any]:
        chosen = self.checked_options(options)
        size = chosen["block_size"]
        if isinstance(size, bool) or not isinstance(size, int) or size < 1 or sizes.hidden_size % size:
            raise NetworkError(
                f"block_size is {size!r} with {sizes.hidden_size} hidden units.",
                "Give a whole number that divides the hidden size.",
            )
        return chosen

    def unit_step(self, options: Mapping[str, Any]) -> int:
        size = self.checked_options(options)["block_size"]
        return size if isinstance(size, int) and size > 0 else 1

    def shapes(self, entering: int, hidden_size: int, bias: bool, options: Mapping[str, Any]) -> Shapes:
        rows = hidden_size + 2 * (hidden_size // options["block_size"])
        shapes: Shapes = {
            "weight_ih": (rows, entering),
            "weight_hh": (rows, rows if options["gate_recurrence"] else hidden_size),
        }
        return shapes | ({"bias_ih": (rows,)} if bias else {})

    def told_by(self, shapes: Mapping[str, tuple[int, ...]], options: Mapping[str, Any]) -> Told | None:
        if shapes.keys() - {"weight_ih", "weight_hh", "bias_ih"} or "weight_hh" not in shapes:
            return None
        rows, sources = shapes["weight_hh"]
        if sources < rows:
            # Two more rows for every block of cells.
            size, rest = divmod(2 * sources, rows - sources)
            return None if rest else Told(sources, {"block_size": size, "gate_recurrence": False}, certain=False)
        size = options.get("block_size", 1)
        if sources != rows or not isinstance(size, int) or size < 1 or rows % (size + 2):
            return None
        return Told(rows // (size + 2) * size, {"block_size": size, "gate_recurrence": True}, certain=False)

    def state_sizes(self, hidden_size: int, options: Mapping[str, Any]) -> tuple[int, ...]:
        gates = (2 * (hidden_size // options["block_size"]),) if options["gate_recurrence"] else ()
        return hidden_size, hidden_size, *gates

    def signals(self, module: nn.Module) -> tuple[Signal, ...]:  # noqa: ARG002 - the same for all
        return _DECLARED

    def wiring(self, options: Mapping[str, Any]) -> Wiring:
        return wiring_of_1997(gates_read_gates=bool(options.get("gate_recurrence")))

    def advance(
        self, layer: Layer[Tensor], x: Tensor, initial: tuple[Tensor, ...]
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        import torch
        from torch.nn import functional

        options = options_of(layer.module)
        size, gates_read_gates = options["block_size"], options["gate_recurrence"]
        h, c, *gates = initial
        blocks = h.shape[-1] // size
        entering = functional.linear(x, layer.input, layer.input_bias)
        outputs = []
        for a_x in entering:
            a = a_x + functional.linear(torch.cat((h, *gates), dim=-1), layer.recurrent)
            a_i, a_g, a_o = torch.split(a, [blocks, size * blocks, blocks], dim=-1)
            i, o = torch.sigmoid(a_i), torch.sigmoid(a_o)
            c = c + i.repeat_interleave(size, -1) * torch.tanh(a_g)
            h = o.repeat_interleave(size, -1) * torch.tanh(c)
            gates = [torch.cat((i, o), dim=-1)] if gates_read_gates else []
            outputs.append(h)
        return torch.stack(outputs), (h, c, *gates)

    def recover(self, layer: Layer[Tensor], x: Tensor, h: Tensor, initial: tuple[Tensor, ...]) -> Recovered:
        import torch
        from torch.nn import functional

        size = options_of(layer.module)["block_size"]
        h0, c0, *gates = initial
        units = len(c0)
        blocks = units // size
        h_before = torch.cat((h0.unsqueeze(0), h[:-1]))
        before = functional.linear(x, layer.input, layer.input_bias)
        before = before + functional.linear(h_before, layer.recurrent[:, :units])
        if gates:
            # What the gates were is known only once the step before is: no one product for all steps.
            read, is_gate = layer.recurrent[:, units:], _gate_rows(blocks, units)
            last = gates[0]
            for step in range(len(before)):
                before[step] += read @ last
                last = torch.sigmoid(before[step, is_gate])
        a_i, a_g, a_o = (part.cpu() for part in torch.split(before, [blocks, units, blocks], dim=1))
        i, g, o = torch.sigmoid(a_i).numpy(), torch.tanh(a_g).numpy(), torch.sigmoid(a_o).numpy()
        admitted = i.repeat(size, axis=1) * g
        c = np.cumsum(np.concatenate((c0.cpu().numpy()[None], admitted)), axis=0)[1:]
        signals = {ADMITTED.name: admitted, CELL_STATE.name: c}
        signals |= zip((signal.name for signal in _IN_WEIGHT_ORDER), (i, g, o), strict=True)
        signals |= zip((signal.name for signal in _BEFORE), (a_i.numpy(), a_g.numpy(), a_o.numpy()), strict=True)
        return Recovered(signals, o.repeat(size, axis=1) * np.tanh(c))

    def reachable(
        self,
        layer: Layer[NDArray[Any]],
        x: NDArray[Any],
        h: NDArray[Any],
        initial: tuple[NDArray[Any], ...],
        rounding: Rounding,
    ) -> Bounds:
        size = options_of(layer.module)["block_size"]
        _, c0, *gates = initial
        units = len(c0)
        blocks = units // size
        known = ((x, layer.input), (h, layer.recurrent[:, :units]))
        before = _read_by_gates(layer, known, gates[0], rounding) if gates else rounding.sums(*known, bias=layer.bias)
        i, o = (before.part(part).through(sigmoid).repeated(size) for part in _gate_parts(blocks, units))
        admitted = i.times(before.part(slice(blocks, blocks + units)).through(np.tanh))
        c = Bounds(*(c0 + np.cumsum(side, axis=0) for side in admitted))
        # Nothing is forgotten, nor is what every sum so far was rounded off by.
        off = np.cumsum(rounding.added(c.largest + admitted.largest), axis=0)
        return o.times(c.widened(rounding.counting(off)).through(np.tanh))

    def gradients(
        self,
        layer: Layer[NDArray[Any]],
        signals: Mapping[str, NDArray[Any]],
        upstream: NDArray[Any],
        final: tuple[NDArray[Any], ...],
        held: HeldSteps | None = None,
    ) -> Gradients:
        """Back-propagate through time, fully: the paper truncates where a derivative leaves a memory block.

        dL/dy_t = W_hhᵀ dL/da_{t+1}, whose part for h adds to ``upstream``;  dL/dc_t = dL/dc_{t+1} + dL/dh_t ⊙ o_t ⊙
        tanh′(c_t);  a gate's is the sum over the cells of its block.
        """
        signals = self.stopped(signals, held)
        no_h, no_c = ((held or {}).get(state) for state in self.states)
        a_i, a_g, a_o = (signals[signal.name] for signal in _BEFORE)
        i, g, o = (signals[signal.name].astype(np.float64) for signal in _IN_WEIGHT_ORDER)
        c = signals[CELL_STATE.name]
        steps, units = g.shape
        blocks = i.shape[1]
        size = units // blocks
        exposure = o.repeat(size, axis=1) * tanh_slope(c)
        squashed = np.tanh(c.astype(np.float64))
        new = i.repeat(size, axis=1) * tanh_slope(a_g)
        slope_i, slope_o = sigmoid_slope(a_i), sigmoid_slope(a_o)

        dh = upstream.copy()
        dc = np.empty((steps, units))
        da = np.empty((steps, units + 2 * blocks))
        da_i, da_g, da_o = da[:, :blocks], da[:, blocks : blocks + units], da[:, blocks + units :]
        recurrent = repeated_product(layer.recurrent.T)
        # dL/dy of the step at hand: hidden state, then input and output gates where they are read.
        back = np.zeros(layer.recurrent.shape[1])
        back[:units] = final[0]
        if len(back) > units and len(final) > 2:
            back[units:] = final[2]
        none = np.zeros(2 * blocks)
        carried = final[1].copy()
        for step in reversed(range(steps)):
            gates = back[units:] if len(back) > units else none
            dh[step] += back[:units]
            if no_h is not None:
                dh[step, no_h[step]] = 0
            carried += dh[step] * exposure[step]
            if no_c is not None:
                carried[no_c[step]] = 0
            dc[step] = carried
            by_cell = (carried * g[step]).reshape(blocks, size).sum(axis=1)
            np.multiply(by_cell + gates[:blocks], slope_i[step], da_i[step])
            np.multiply(carried, new[step], da_g[step])
            by_cell = (dh[step] * squashed[step]).reshape(blocks, size).sum(axis=1)
            np.multiply(by_cell + gates[blocks:], slope_o[step], da_o[step])
            recurrent(da[step], back)
        named = dict(zip((signal.name for signal in _BEFORE), (da_i, da_g, da_o), strict=True))
        before = (back[:units], carried) + ((back[units:],) if len(back) > units else ())
        return Gradients({HIDDEN_STATE.name: dh, CELL_STATE.name: dc, **named}, row_product(da, layer.input), before)

    def pull_back(
        self, layer: Layer[NDArray[Any]], signals: Mapping[str, NDArray[Any]], *, inputs: bool = False
    ) -> PullBack:
        """Return the product with the Jacobian of one step; the equations are those of :meth:`gradients`.

        Rows and states may have a third part, the gates, where they are read: without one it counts as zero.
        """
        a_i, a_g, a_o = (signals[signal.name] for signal in _BEFORE)
        i, g, o = (signals[signal.name].astype(np.float64) for signal in _IN_WEIGHT_ORDER)
        c = signals[CELL_STATE.name].astype(np.float64)
        units, blocks, sources = g.shape[1], i.shape[1], layer.recurrent.shape[1]
        size = units // blocks
        exposure = o.repeat(size, axis=1) * tanh_slope(c)
        squashed = np.tanh(c)
        new = i.repeat(size, axis=1) * tanh_slope(a_g)
        slopes = np.concatenate((sigmoid_slope(a_i), sigmoid_slope(a_o)), axis=1)
        weights = layer.recurrent if not inputs else np.concatenate((layer.recurrent, layer.input), axis=1)
        weights = weights.astype(np.float64)

        def pull_back(step: int, rows: tuple[NDArray[Any], ...]) -> PulledBack:
            dh, dc, *gates = rows
            total = dc + dh * exposure[step]
            into_gates = np.concatenate((total * g[step], dh * squashed[step]), axis=1)
            blame = into_gates.reshape(len(dh), 2 * blocks, size).sum(axis=2)
            for extra in gates:
                blame += extra
            blame *= slopes[step]
            da = np.concatenate((blame[:, :blocks], total * new[step], blame[:, blocks:]), axis=1)
            through = da @ weights
            read = (through[:, units:sources],) if sources > units else ()
            before = (through[:, :units], total, *read)
            return PulledBack((dh, total), before, through[:, sources:] if inputs else None)

        return pull_back

    def states_after(self, module: nn.Module, now: Mapping[str, NDArray[Any]]) -> tuple[NDArray[Any], ...]:
        states = super().states_after(module, now)
        if not options_of(module)["gate_recurrence"]:
            return states
        return (*states, np.concatenate((now[INPUT_GATE.name], now[OUTPUT_GATE.name])))

    def step(
        self, layer: Layer[NDArray[Any]], entering: NDArray[Any], states: tuple[NDArray[Any], ...], edit: Edit
    ) -> dict[str, NDArray[Any]]:
        """Compute one step by hand."""
        h, c, *gates = states
        units, size = len(c), options_of(layer.module)["block_size"]
        blocks = units // size
        a = layer.recurrent @ (np.concatenate((h, *gates)) if gates else h)
        a += entering
        before = np.split(a, (blocks, blocks + units))
        for signal, part in zip(_BEFORE, before, strict=True):
            edit(signal.name, part)
        i, g, o = after = squashed(before[0]), np.tanh(before[1]), squashed(before[2])
        for signal, part in zip(_IN_WEIGHT_ORDER, after, strict=True):
            edit(signal.name, part)
        admitted = i.repeat(size) * g
        edit(ADMITTED.name, admitted)
        state = c + admitted
        edit(CELL_STATE.name, state)
        hidden = o.repeat(size) * np.tanh(state)
        edit(HIDDEN_STATE.name, hidden)
        now = {ADMITTED: admitted, CELL_STATE: state, HIDDEN_STATE: hidden}
        now |= zip((*_BEFORE, *_IN_WEIGHT_ORDER), (*before, *after), strict=True)
        return {signal.name: value for signal, value in now.items()}

    def sums(self, layer: Layer[NDArray[Any]]) -> dict[str, WeightedSum]:
        """Return the three sums, of which those of the gates have one row for each block."""
        size = options_of(layer.module)["block_size"]
        units = len(layer.input) // (size + 2) * size
        blocks = (len(layer.input) - units) // 2
        found = block_sums(
            replace(layer, recurrent=layer.recurrent[:, :units]),
            _SQUASHES,
            HIDDEN_STATE.name,
            rows=(blocks, units, blocks),
        )
        if layer.recurrent.shape[1] == units:
            return found
        rows = (slice(blocks), slice(blocks, blocks + units), slice(blocks + units, None))
        gates = {INPUT_GATE.name: slice(units, units + blocks), OUTPUT_GATE.name: slice(units + blocks, None)}
        return {
            name: WeightedSum(
                one.squash,
                (*one.sources, *(Source(gate, layer.recurrent[own, read], lag=1) for gate, read in gates.items())),
            )
            for (name, one), own in zip(found.items(), rows, strict=True)
        }

    def direct_path(self, signals: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
        """Return zeros, (T, H), the log10 of 1: the constant error carousel."""
        return np.zeros(signals[CELL_STATE.name].shape)


def _gate_parts(blocks: int, units: int) -> tuple[slice, slice]:
    """Return the rows of the input gates, and those of the output gates."""
    return slice(blocks), slice(blocks + units, None)


def _read_by_gates(
    layer: Layer[NDArray[Any]],
    known: tuple[tuple[NDArray[Any], NDArray[Any]], ...],
    gates: NDArray[Any],
    rounding: Rounding,
) -> Bounds:
    """Return the bounds of sums that read the gates of the step before, which no module returns.

    Parameters
    ----------
    layer
        The weights.
    known
        What else is summed, and its weights.
    gates
        Those before the first step.
    rounding
        How sums are rounded off.
    """
    units = layer.recurrent.shape[1] - len(gates)
    read = layer.recurrent[:, units:]
    last, rows = exactly(gates[None]), []
    for step in range(len(known[0][0])):
        now = [(values[step : step + 1], weights) for values, weights in known]
        before = rounding.sums(*now, (last, read), bias=layer.bias)
        i, o = (before.part(part).through(sigmoid) for part in _gate_parts(len(gates) // 2, units))
        last = Bounds(*(np.concatenate(sides, axis=1) for sides in zip(i, o, strict=True)))
        rows.append(before.row(0))
    return stacked(rows)


def _gate_rows(blocks: int, units: int) -> list[int]:
    """Return the rows of the input gates, then those of the output gates."""
    return [*range(blocks), *range(blocks + units, 2 * blocks + units)]


CELL = _LSTM1997()

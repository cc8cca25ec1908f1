"""The gated recurrent unit (Cho et al. 2014) as ``torch.nn.GRU`` computes it.

With all steps counted from 0 and h_{−1} given::

    a = W_ih x_t + b_ih                                    three blocks, in the order r, z, n
    m = W_hh h_{t−1} + b_hh                                likewise
    r, z = σ(a_r + m_r), σ(a_z + m_z)
    n = tanh(a_n + r ⊙ m_n)                                the reset gate after the product, as cuDNN has it
    h_t = (1 − z) ⊙ n + z ⊙ h_{t−1}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lstm_studio.errors import NetworkError
from lstm_studio.networks.bounds import Bounds, Rounding, exactly
from lstm_studio.networks.cell import Cell, Edit, Gradients, HeldSteps, Layer, PullBack, PulledBack, Recovered
from lstm_studio.networks.products import STEPS_PER_CHECK, has_vanished, repeated_product, row_product
from lstm_studio.networks.signals import (
    ADMITTED_BY_UPDATE,
    CANDIDATE_STATE,
    RECALLED,
    RECURRENT_STATE,
    RESET_GATE,
    RETAINED_BY_UPDATE,
    UPDATE_GATE,
    Operand,
    Phase,
    Signal,
    preactivation,
)
from lstm_studio.networks.sizes import Sizes
from lstm_studio.networks.slopes import log10_sigmoid, sigmoid, squashed, tanh_slope
from lstm_studio.networks.sums import Squash, WeightedSum, block_sums
from lstm_studio.networks.weight_count import stacked_weight_count
from lstm_studio.networks.wiring import Wiring
from lstm_studio.networks.wirings.gru import gru_wiring

if TYPE_CHECKING:
    from torch import Tensor, nn

_STATE = RECURRENT_STATE.name
_IN_WEIGHT_ORDER = (RESET_GATE, UPDATE_GATE, CANDIDATE_STATE)
_BEFORE = tuple(preactivation(signal) for signal in _IN_WEIGHT_ORDER)
_SQUASHES = {
    signal.name: squash for signal, squash in zip(_BEFORE, (Squash.SIGMOID, Squash.SIGMOID, Squash.TANH), strict=True)
}
# Not the badge of other recurrent states, r: that is the reset gate's.
_HIDDEN_STATE = replace(RECURRENT_STATE, badge="h").made_of(
    Phase.REMEMBER, Operand(RETAINED_BY_UPDATE.name), "+", Operand(ADMITTED_BY_UPDATE.name)
)
_SHOWN = (
    RESET_GATE,
    RECALLED,
    CANDIDATE_STATE,
    UPDATE_GATE,
    ADMITTED_BY_UPDATE,
    RETAINED_BY_UPDATE,
    _HIDDEN_STATE,
)
_DECLARED = _SHOWN + tuple(preactivation(signal) for signal in _SHOWN if signal in _IN_WEIGHT_ORDER)


_FLAT = {_BEFORE[2].name: float("inf")}
_NO_RESET = {RECALLED.name: 0.0}
_NO_UPDATE = {RETAINED_BY_UPDATE.name: 0.0, ADMITTED_BY_UPDATE.name: 0.0}
_STOPS = {
    **dict.fromkeys((CANDIDATE_STATE.name, _BEFORE[2].name), _FLAT),
    **dict.fromkeys((RESET_GATE.name, _BEFORE[0].name), _NO_RESET),
    **dict.fromkeys((UPDATE_GATE.name, _BEFORE[1].name), _NO_UPDATE),
    RECALLED.name: {RECALLED.name: 0.0, RESET_GATE.name: 0.0},
    ADMITTED_BY_UPDATE.name: {ADMITTED_BY_UPDATE.name: 0.0, **_FLAT},
    RETAINED_BY_UPDATE.name: {RETAINED_BY_UPDATE.name: 0.0, UPDATE_GATE.name: 0.0},
}


class _GRU(Cell):
    kind = "gru"
    title = "GRU"
    gates = 3
    states = (_STATE,)
    can_step = True
    stops = MappingProxyType(_STOPS)
    gated_products = MappingProxyType({preactivation(CANDIDATE_STATE).name: RESET_GATE.name})

    def accepts(self, module: nn.Module) -> bool:
        from torch import nn

        return isinstance(module, nn.GRU)

    def build(self, sizes: Sizes, options: Mapping[str, Any]) -> nn.Module:
        from torch import nn

        self.checked_options(options)
        return nn.GRU(
            sizes.input_size, sizes.hidden_size, sizes.layers, bias=sizes.bias, bidirectional=sizes.bidirectional
        )

    def parameter_count(self, sizes: Sizes, options: Mapping[str, Any]) -> int:
        self.checked_options(options)
        return stacked_weight_count(sizes, self.gates)

    def signals(self, module: nn.Module) -> tuple[Signal, ...]:  # noqa: ARG002 - the same for every GRU
        return _DECLARED

    def wiring(self, options: Mapping[str, Any]) -> Wiring:
        del options
        return gru_wiring()

    def run(self, layers: Sequence[Layer[Tensor]], x: Tensor, initial: tuple[Tensor, ...]) -> Tensor:
        import torch

        flat = [weight for direction in layers for weight in direction.flat()]
        bias = layers[0].input_bias is not None
        before = initial[0].unsqueeze(1)
        output = torch.gru(x.unsqueeze(1), before, flat, bias, 1, 0.0, False, len(layers) == 2, False)[0]
        return output.squeeze(1)

    def recover(self, layer: Layer[Tensor], x: Tensor, h: Tensor, initial: tuple[Tensor, ...]) -> Recovered:
        import torch

        units = h.shape[1]
        new = slice(2 * units, None)
        h_before = torch.cat((initial[0].unsqueeze(0), h[:-1]))  # (T, H)
        before = x @ layer.input.t()  # (T, 3H)
        recalled = h_before @ layer.recurrent.t()
        if layer.input_bias is not None and layer.recurrent_bias is not None:
            before += layer.input_bias
            recalled += layer.recurrent_bias
        before[:, : 2 * units] += recalled[:, : 2 * units]
        gates = torch.sigmoid(before[:, : 2 * units])
        r, z = gates.chunk(2, dim=1)
        recalled = r * recalled[:, new]
        before[:, new] += recalled
        n = torch.tanh(before[:, new])
        retained = z * h_before
        admitted = (1 - z) * n
        found = {
            RESET_GATE: r,
            UPDATE_GATE: z,
            CANDIDATE_STATE: n,
            RECALLED: recalled,
            RETAINED_BY_UPDATE: retained,
            ADMITTED_BY_UPDATE: admitted,
        }
        found |= zip(_BEFORE, before.chunk(3, dim=1), strict=True)
        signals = {signal.name: tensor.contiguous().cpu().numpy() for signal, tensor in found.items()}
        return Recovered(signals, (admitted + retained).cpu().numpy())

    def reachable(
        self,
        layer: Layer[NDArray[Any]],
        x: NDArray[Any],
        h: NDArray[Any],
        initial: tuple[NDArray[Any], ...],
        rounding: Rounding,
    ) -> Bounds:
        del initial
        units = h.shape[1]
        gates, new = slice(2 * units), slice(2 * units, None)
        both = layer.rows(gates)
        squashed_gates = rounding.sums((x, both.input), (h, both.recurrent), bias=both.bias).through(sigmoid)
        r, z = squashed_gates.part(slice(units)), squashed_gates.part(slice(units, None))
        own = layer.rows(new)
        recalled = r.times(rounding.sums((h, own.recurrent), bias=own.recurrent_bias))
        candidate = rounding.sums((x, own.input), bias=own.input_bias).plus(recalled).through(np.tanh)
        return z.mixed(exactly(h), candidate)

    def gradients(
        self,
        layer: Layer[NDArray[Any]],
        signals: Mapping[str, NDArray[Any]],
        upstream: NDArray[Any],
        final: tuple[NDArray[Any], ...],
        held: HeldSteps | None = None,
    ) -> Gradients:
        """Back-propagate through time; the local factors of all steps are computed beforehand.

        dL/dh_{t−1} = upstream_{t−1} + z ⊙ dL/dh_t + W_hhᵀ [da_r, da_z, r ⊙ da_n] with da = dL/da_t =
        dL/dh_t ⊙ [q m_n r′, (h_{t−1} − n) z′, q] and q = (1 − z) n′.
        """
        signals = self.stopped(signals, held)
        no_h = (held or {}).get(_STATE)
        local = _local_factors(signals)
        steps, _, units = local.shape
        update = signals[UPDATE_GATE.name].astype(np.float64, copy=False)
        dh = upstream.copy()  # (T, H)
        dh[-1] += final[0]
        # Blocks r, z, n of dL/da, then r ⊙ da_n: the first, second and last are what went through W_hh.
        da = np.empty((steps, 4, units))
        recurrent = repeated_product(layer.recurrent.T)
        through_weights, carried = np.empty(units), np.zeros(units)
        entering = np.empty((3, units))
        flat = entering.reshape(-1)

        rows = zip(dh, da, local, update, strict=True)
        started = False
        for count, (dh_t, da_t, local_t, update_t) in enumerate(reversed(list(rows))):
            if count % STEPS_PER_CHECK == 0 and started and has_vanished(flat, carried):
                started = False
            if started:
                recurrent(flat, through_weights)
                np.add(dh_t, through_weights, dh_t)
                np.add(dh_t, carried, dh_t)
            if no_h is not None:
                dh_t[no_h[steps - 1 - count]] = 0
            np.multiply(local_t, dh_t, da_t)
            entering[:2] = da_t[:2]
            entering[2] = da_t[3]
            np.multiply(dh_t, update_t, carried)
            started = True

        recurrent(flat, through_weights)
        blocks = {signal.name: da[:, block] for block, signal in enumerate(_BEFORE)}
        into_input = np.ascontiguousarray(da[:, :3]).reshape(steps, 3 * units)
        return Gradients({_STATE: dh, **blocks}, row_product(into_input, layer.input), (through_weights + carried,))

    def stopped(self, signals: Mapping[str, NDArray[Any]], held: HeldSteps | None) -> Mapping[str, NDArray[Any]]:
        if held and UPDATE_GATE.name in held:
            # What is left for the candidate follows from the pre-activation, where that says what the gate is.
            gate, before = signals[UPDATE_GATE.name].astype(np.float64), _BEFORE[1].name
            if not ((gate >= 0) & (gate <= 1)).all():
                raise NetworkError("An update gate is held outside 0…1, which has no gradient.", "Hold it within.")
            with np.errstate(divide="ignore"):
                implied = np.log(gate) - np.log1p(-gate)
            signals = {**signals, before: np.where(held[UPDATE_GATE.name], implied, signals[before])}
        return super().stopped(signals, held)

    def pull_back(
        self, layer: Layer[NDArray[Any]], signals: Mapping[str, NDArray[Any]], *, inputs: bool = False
    ) -> PullBack:
        """Return the product with the Jacobian of one step; the equations are those of :meth:`gradients`."""
        local = _local_factors(signals)
        update = sigmoid(signals[_BEFORE[1].name])
        units = update.shape[1]
        flat = layer.recurrent.astype(np.float64)
        recurrent = flat.reshape(3, units, units)
        into_state = local[:, (0, 1, 3)]
        entering = layer.input.astype(np.float64).reshape(3, units, -1)

        def pull_back(step: int, rows: tuple[NDArray[Any], ...]) -> PulledBack:
            (dh,) = rows
            if 2 * len(dh) <= units and not inputs:
                # So few rows that adding up the blocks would take longer.
                blame = (dh[:, None] * into_state[step]).reshape(len(dh), -1)
                return PulledBack((dh,), (dh * update[step] + blame @ flat,))
            r, z, n, recalled = local[step, :, :, None]
            through_weights = dh @ (r * recurrent[0] + z * recurrent[1] + recalled * recurrent[2])
            through_input = dh @ (r * entering[0] + z * entering[1] + n * entering[2]) if inputs else None
            return PulledBack((dh,), (dh * update[step] + through_weights,), through_input)

        return pull_back

    def entering(self, layer: Layer[NDArray[Any]], x: NDArray[Any]) -> NDArray[Any]:
        """Return what the input brings; the other bias is of the product with the hidden state, which is gated."""
        return super().entering(replace(layer, recurrent_bias=None), x)

    def step(
        self, layer: Layer[NDArray[Any]], entering: NDArray[Any], states: tuple[NDArray[Any], ...], edit: Edit
    ) -> dict[str, NDArray[Any]]:
        """Compute one step by hand."""
        (h,) = states
        m = layer.recurrent @ h
        if layer.recurrent_bias is not None:
            m += layer.recurrent_bias
        units = len(h)
        before = entering.copy()
        gates, a_n = before[: 2 * units].reshape(2, units), before[2 * units :]
        gates += m[: 2 * units].reshape(2, units)
        for signal, part in zip(_BEFORE, gates, strict=False):
            edit(signal.name, part)
        r, z = squashed(gates)
        edit(RESET_GATE.name, r)
        edit(UPDATE_GATE.name, z)
        recalled = r * m[2 * units :]
        edit(RECALLED.name, recalled)
        a_n += recalled
        edit(_BEFORE[2].name, a_n)
        n = np.tanh(a_n)
        edit(CANDIDATE_STATE.name, n)
        admitted = (1 - z) * n
        edit(ADMITTED_BY_UPDATE.name, admitted)
        retained = z * h
        edit(RETAINED_BY_UPDATE.name, retained)
        hidden = admitted + retained
        edit(_STATE, hidden)
        now = {RESET_GATE: r, UPDATE_GATE: z, RECALLED: recalled, CANDIDATE_STATE: n}
        now |= {ADMITTED_BY_UPDATE: admitted, RETAINED_BY_UPDATE: retained, _HIDDEN_STATE: hidden}
        now |= zip(_BEFORE, (*gates, a_n), strict=True)
        return {signal.name: value for signal, value in now.items()}

    def sums(self, layer: Layer[NDArray[Any]]) -> dict[str, WeightedSum]:
        """Return the three sums; the reset gate multiplies what the candidate reads of the state."""
        return block_sums(layer, _SQUASHES, _STATE, gated=self.gated_products)

    def direct_path(self, signals: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
        """Return log10 z_t, (T, H): from the pre-activation, exact where z_t rounds to 0."""
        return log10_sigmoid(signals[_BEFORE[1].name])


def _local_factors(signals: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    """Return the factors of dL/dh in dL/da, (T, 4, H): blocks r, z, n, and the one of n times r."""
    a_r, a_z, a_n = (signals[signal.name] for signal in _BEFORE)
    local = np.empty((len(a_r), 4, a_r.shape[1]))
    np.multiply(sigmoid(-a_z), tanh_slope(a_n), local[:, 2])
    # m_n r′ is (r m_n)(1 − r), and (h_{t−1} − n) z′ is (z h_{t−1})(1 − z) − ((1 − z) n) z.
    np.multiply(local[:, 2] * signals[RECALLED.name], sigmoid(-a_r), local[:, 0])
    np.multiply(signals[RETAINED_BY_UPDATE.name], sigmoid(-a_z), local[:, 1])
    local[:, 1] -= signals[ADMITTED_BY_UPDATE.name] * sigmoid(a_z)
    np.multiply(local[:, 2], signals[RESET_GATE.name], local[:, 3])
    return local


CELL = _GRU()

"""The LSTM as many articles and courses draw it: the output reads the retained memory, not the new cell state.

With all steps counted from 0 and c_{−1}, h_{−1} given::

    a_t = W_ih x_t + W_hh h_{t−1} + b_ih                   four blocks, in the order i, f, g, o
    i, f, o = σ(a),  g = tanh(a)
    k_t = f_t ⊙ c_{t−1}
    c_t = k_t + i_t ⊙ g_t
    v_t = tanh(W_u k_t + b_u)
    h_t = o_t ⊙ v_t

W_u starts at the identity and b_u at zero. What a step learns reaches its hidden state one step late: that is what the
shortcut costs.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lstm_studio.networks.bounds import Bounds, Rounding
from lstm_studio.networks.cell import Edit, Gradients, HeldSteps, Layer, PullBack, PulledBack, Recovered
from lstm_studio.networks.four_gates import BEFORE, IN_WEIGHT_ORDER, SQUASHES, STOPS, reachable_by_gates
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
    USE_CANDIDATE,
    Operand,
    Phase,
    Signal,
    preactivation,
)
from lstm_studio.networks.slopes import log10_sigmoid, sigmoid, sigmoid_slope, squashed, tanh_slope
from lstm_studio.networks.stacked import Shapes, StackedCell
from lstm_studio.networks.sums import Source, Squash, WeightedSum, block_sums
from lstm_studio.networks.told import Told
from lstm_studio.networks.wiring import Wiring
from lstm_studio.networks.wirings.gated import article_wiring

if TYPE_CHECKING:
    from torch import Tensor, nn

_BEFORE_USE = preactivation(USE_CANDIDATE)
# The output reads what the forget gate retained, not the new cell state.
_HIDDEN_STATE = HIDDEN_STATE.made_of(Phase.USE, Operand(OUTPUT_GATE.name), "×", Operand(USE_CANDIDATE.name))
_SHOWN = (
    FORGET_GATE,
    INPUT_GATE,
    CANDIDATE,
    ADMITTED,
    RETAINED,
    OUTPUT_GATE,
    USE_CANDIDATE,
    CELL_STATE,
    _HIDDEN_STATE,
)
_DECLARED = (
    *_SHOWN,
    *(preactivation(signal) for signal in _SHOWN if signal in IN_WEIGHT_ORDER or signal is USE_CANDIDATE),
)


_STOPS = {
    **STOPS,
    USE_CANDIDATE.name: {_BEFORE_USE.name: float("inf")},
    _BEFORE_USE.name: {_BEFORE_USE.name: float("inf")},
}


class _ArticleLSTM(StackedCell):
    kind = "lstm-article"
    title = "Article LSTM"
    states = (HIDDEN_STATE.name, CELL_STATE.name)
    can_step = True
    stops = MappingProxyType(_STOPS)

    def shapes(self, entering: int, hidden_size: int, bias: bool, options: Mapping[str, Any]) -> Shapes:
        del options
        shapes: Shapes = {"weight_ih": (4 * hidden_size, entering), "weight_hh": (4 * hidden_size, hidden_size)}
        shapes |= {"bias_ih": (4 * hidden_size,)} if bias else {}
        shapes |= {"weight_use": (hidden_size, hidden_size)}
        return shapes | ({"bias_use": (hidden_size,)} if bias else {})

    def told_by(self, shapes: Mapping[str, tuple[int, ...]], options: Mapping[str, Any]) -> Told | None:
        del options
        return Told(shapes["weight_use"][0]) if "weight_use" in shapes else None

    def state_sizes(self, hidden_size: int, options: Mapping[str, Any]) -> tuple[int, ...]:
        del options
        return hidden_size, hidden_size

    def start(self, weights: Mapping[str, Tensor]) -> None:
        from torch import nn

        nn.init.eye_(weights["weight_use"])
        if "bias_use" in weights:
            nn.init.zeros_(weights["bias_use"])

    def signals(self, module: nn.Module) -> tuple[Signal, ...]:  # noqa: ARG002 - the same for all
        return _DECLARED

    def wiring(self, options: Mapping[str, Any]) -> Wiring:
        del options
        return article_wiring()

    def advance(
        self, layer: Layer[Tensor], x: Tensor, initial: tuple[Tensor, ...]
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        import torch
        from torch.nn import functional

        h, c = initial
        entering = functional.linear(x, layer.input, layer.input_bias)  # (T, B, 4H)
        outputs = []
        for a_x in entering:
            a_i, a_f, a_g, a_o = (a_x + functional.linear(h, layer.recurrent)).chunk(4, dim=-1)
            retained = torch.sigmoid(a_f) * c
            c = retained + torch.sigmoid(a_i) * torch.tanh(a_g)
            use = functional.linear(retained, layer.more["weight_use"], layer.more.get("bias_use"))
            h = torch.sigmoid(a_o) * torch.tanh(use)
            outputs.append(h)
        return torch.stack(outputs), (h, c)

    def recover(self, layer: Layer[Tensor], x: Tensor, h: Tensor, initial: tuple[Tensor, ...]) -> Recovered:
        import torch
        from torch.nn import functional

        h0, c0 = initial
        h_before = torch.cat((h0.unsqueeze(0), h[:-1]))  # (T, H)
        joined = functional.linear(x, layer.input, layer.input_bias) + functional.linear(h_before, layer.recurrent)
        before = torch.stack(joined.chunk(4, dim=1))  # i, f, g, o: each (T, H)
        i, f, o = (torch.sigmoid(before[gate]).cpu().numpy() for gate in (0, 1, 3))
        g = torch.tanh(before[2]).cpu().numpy()
        start = c0.cpu().numpy()
        admitted = i * g
        c = linear_scan(f, admitted, start)
        retained = f * np.concatenate((start[None], c[:-1]))
        more = {name: weight.cpu().numpy() for name, weight in layer.more.items()}
        use = retained @ more["weight_use"].T + more.get("bias_use", 0.0)
        exposed = np.tanh(use)
        signals = {ADMITTED.name: admitted, RETAINED.name: retained, CELL_STATE.name: c}
        signals |= {USE_CANDIDATE.name: exposed, _BEFORE_USE.name: use}
        signals |= zip((signal.name for signal in IN_WEIGHT_ORDER), (i, f, g, o), strict=True)
        signals |= zip((signal.name for signal in BEFORE), before.cpu().numpy(), strict=True)
        return Recovered(signals, o * exposed)

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
        use = rounding.sums((found.retained, layer.more["weight_use"]), bias=layer.more.get("bias_use"))
        return found.output_gate.times(use.through(np.tanh))

    def gradients(
        self,
        layer: Layer[NDArray[Any]],
        signals: Mapping[str, NDArray[Any]],
        upstream: NDArray[Any],
        final: tuple[NDArray[Any], ...],
        held: HeldSteps | None = None,
    ) -> Gradients:
        """Back-propagate through time; the local factors of all steps are computed beforehand.

        dL/dh_t = upstream_t + W_hhᵀ dL/da_{t+1};  dL/du_t = dL/dh_t ⊙ o_t ⊙ tanh′(u_t) with u = W_u k + b_u;
        dL/dc_t = f_{t+1} ⊙ dL/dk_{t+1};  dL/dk_t = dL/dc_t + W_uᵀ dL/du_t.
        """
        local, exposure, forget = _local_factors(self.stopped(signals, held))
        no_h, no_c = ((held or {}).get(state) for state in self.states)
        steps, units = forget.shape

        dh = upstream.copy()
        dh[-1] += final[0]
        dc, du = np.empty((steps, units)), np.empty((steps, units))
        da = np.empty((steps, 4, units))
        flat = da.reshape(steps, 4 * units)
        recurrent = repeated_product(layer.recurrent.T)
        through_use = repeated_product(layer.more["weight_use"].T)
        through_time, dk = np.empty(units), np.empty(units)
        carried = final[1].copy()
        later: NDArray[Any] | None = None
        for count, step in enumerate(reversed(range(steps))):
            if count % STEPS_PER_CHECK == 0 and later is not None and has_vanished(later, carried):
                later = None
                carried.fill(0)
            if later is not None:
                recurrent(later, through_time)
                dh[step] += through_time
            if no_h is not None:
                dh[step, no_h[step]] = 0
            if no_c is not None:
                carried[no_c[step]] = 0
            dc[step] = carried
            np.multiply(dh[step], exposure[step], du[step])
            through_use(du[step], dk)
            dk += carried
            np.multiply(local[step, :3:2], carried, da[step, :3:2])
            np.multiply(local[step, 1], dk, da[step, 1])
            np.multiply(local[step, 3], dh[step], da[step, 3])
            np.multiply(forget[step], dk, carried)
            later = flat[step]
        recurrent(flat[0], through_time)
        blocks = {signal.name: da[:, gate] for gate, signal in enumerate(BEFORE)}
        return Gradients(
            {HIDDEN_STATE.name: dh, CELL_STATE.name: dc, _BEFORE_USE.name: du, **blocks},
            row_product(flat, layer.input),
            (through_time, carried),
        )

    def pull_back(
        self, layer: Layer[NDArray[Any]], signals: Mapping[str, NDArray[Any]], *, inputs: bool = False
    ) -> PullBack:
        """Return the product with the Jacobian of one step; the equations are those of :meth:`gradients`."""
        local, exposure, forget = _local_factors(signals)
        units = forget.shape[1]
        weights = layer.recurrent if not inputs else np.concatenate((layer.recurrent, layer.input), axis=1)
        blocks = weights.astype(np.float64).reshape(4, units, -1)
        use = layer.more["weight_use"].astype(np.float64)

        def pull_back(step: int, rows: tuple[NDArray[Any], ...]) -> PulledBack:
            dh, dc = rows
            dk = dc + (dh * exposure[step]) @ use
            by_input, by_forget, by_candidate, by_output = blocks * local[step, :, :, None]
            through = dc @ (by_input + by_candidate) + dk @ by_forget + dh @ by_output
            before = (through[:, :units], dk * forget[step])
            return PulledBack((dh, dc), before, through[:, units:] if inputs else None)

        return pull_back

    def step(
        self, layer: Layer[NDArray[Any]], entering: NDArray[Any], states: tuple[NDArray[Any], ...], edit: Edit
    ) -> dict[str, NDArray[Any]]:
        """Compute one step by hand."""
        h, c = states
        a = layer.recurrent @ h
        a += entering
        before = a.reshape(4, -1)
        for signal, part in zip(BEFORE, before, strict=True):
            edit(signal.name, part)
        i, f, g, o = after = squashed(before)
        np.tanh(before[2], g)
        for signal, part in zip(IN_WEIGHT_ORDER, after, strict=True):
            edit(signal.name, part)
        admitted = i * g
        edit(ADMITTED.name, admitted)
        retained = f * c
        edit(RETAINED.name, retained)
        state = retained + admitted
        edit(CELL_STATE.name, state)
        use = layer.more["weight_use"] @ retained
        if "bias_use" in layer.more:
            use += layer.more["bias_use"]
        edit(_BEFORE_USE.name, use)
        exposed = np.tanh(use)
        edit(USE_CANDIDATE.name, exposed)
        hidden = o * exposed
        edit(_HIDDEN_STATE.name, hidden)
        now = {ADMITTED: admitted, RETAINED: retained, CELL_STATE: state, _HIDDEN_STATE: hidden}
        now |= {USE_CANDIDATE: exposed, _BEFORE_USE: use}
        now |= zip((*BEFORE, *IN_WEIGHT_ORDER), (*before, *after), strict=True)
        return {signal.name: value for signal, value in now.items()}

    def sums(self, layer: Layer[NDArray[Any]]) -> dict[str, WeightedSum]:
        """Return the four sums of the gates, and that of what the output reads."""
        use = Source(RETAINED.name, layer.more["weight_use"], layer.more.get("bias_use"))
        return {
            **block_sums(layer, SQUASHES, HIDDEN_STATE.name),
            _BEFORE_USE.name: WeightedSum(Squash.TANH, (use,)),
        }

    def direct_path(self, signals: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
        """Return log10 f_t, (T, H): from the pre-activation, exact where f_t rounds to 0."""
        return log10_sigmoid(signals[BEFORE[1].name])


def _local_factors(signals: Mapping[str, NDArray[Any]]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return the factors of dL/dc, dL/dk, dL/dc and dL/dh in dL/da, (T, 4, H); that of dL/dh in dL/du; and f."""
    a_i, a_f, a_g, a_o = (signals[signal.name] for signal in BEFORE)
    local = np.empty((len(a_i), 4, a_i.shape[1]))
    # g ⊙ i′ is l ⊙ (1 − i) and c_{t−1} ⊙ f′ is k ⊙ (1 − f), with the admitted l and the retained k.
    np.multiply(signals[ADMITTED.name], sigmoid(-a_i), local[:, 0])
    np.multiply(signals[RETAINED.name], sigmoid(-a_f), local[:, 1])
    np.multiply(signals[INPUT_GATE.name], tanh_slope(a_g), local[:, 2])
    np.multiply(signals[USE_CANDIDATE.name], sigmoid_slope(a_o), local[:, 3])
    forget = signals[FORGET_GATE.name].astype(np.float64)
    return local, signals[OUTPUT_GATE.name] * tanh_slope(signals[_BEFORE_USE.name]), forget


CELL = _ArticleLSTM()

"""The vanilla recurrent network (Elman 1990): ``torch.nn.RNN``, h_t = φ(W_ih x_t + b_ih + W_hh h_{t−1} + b_hh).

φ is tanh or relu; relu with the first weights ``"identity"`` is the IRNN (Le, Jaitly & Hinton 2015).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lstm_studio.networks.bounds import Bounds, Rounding
from lstm_studio.networks.cell import Cell, Edit, Gradients, HeldSteps, Layer, PullBack, PulledBack, Recovered
from lstm_studio.networks.option import Option
from lstm_studio.networks.preactivations import preactivations, side_by_side
from lstm_studio.networks.products import STEPS_PER_CHECK, has_vanished, repeated_product, row_product
from lstm_studio.networks.signals import RECURRENT_STATE, Signal, preactivation
from lstm_studio.networks.sizes import Sizes
from lstm_studio.networks.slopes import tanh_slope
from lstm_studio.networks.sums import Squash, WeightedSum, block_sums
from lstm_studio.networks.weight_count import stacked_weight_count
from lstm_studio.networks.wiring import Wiring
from lstm_studio.networks.wirings.plain import rnn_wiring

if TYPE_CHECKING:
    from torch import Tensor, nn

_STATE = RECURRENT_STATE.name
_BEFORE = preactivation(RECURRENT_STATE)


class _RNN(Cell):
    kind = "rnn"
    title = "Vanilla RNN"
    gates = 1
    states = (_STATE,)
    can_step = True
    # Both squashing functions are flat there.
    stops = MappingProxyType({_BEFORE.name: {_BEFORE.name: float("-inf")}})
    options = (
        Option("nonlinearity", "Squashing function", "tanh", ("tanh", "relu")),
        Option("initial", "First weights", "uniform", ("uniform", "identity")),
    )

    def accepts(self, module: nn.Module) -> bool:
        from torch import nn

        return isinstance(module, nn.RNN)

    def build(self, sizes: Sizes, options: Mapping[str, Any]) -> nn.Module:
        from torch import nn

        chosen = self.checked_options(options)
        module = nn.RNN(
            sizes.input_size,
            sizes.hidden_size,
            sizes.layers,
            bias=sizes.bias,
            bidirectional=sizes.bidirectional,
            nonlinearity=chosen["nonlinearity"],
        )
        if chosen["initial"] == "identity":
            _start_at_identity(module)
        return module

    def parameter_count(self, sizes: Sizes, options: Mapping[str, Any]) -> int:
        self.checked_options(options)
        return stacked_weight_count(sizes, self.gates)

    def module_options(self, module: nn.Module) -> dict[str, Any]:
        return {"nonlinearity": module.nonlinearity}

    def signals(self, module: nn.Module) -> tuple[Signal, ...]:
        bounded = module.nonlinearity == "tanh"
        return (RECURRENT_STATE if bounded else RECURRENT_STATE.with_levels(None), _BEFORE)

    def wiring(self, options: Mapping[str, Any]) -> Wiring:
        return rnn_wiring(options.get("nonlinearity", "tanh"))

    def run(self, layers: Sequence[Layer[Tensor]], x: Tensor, initial: tuple[Tensor, ...]) -> Tensor:
        import torch

        kernel = torch.rnn_tanh if layers[0].module.nonlinearity == "tanh" else torch.rnn_relu
        flat = [weight for direction in layers for weight in direction.flat()]
        bias = layers[0].input_bias is not None
        before = initial[0].unsqueeze(1)
        output = kernel(x.unsqueeze(1), before, flat, bias, 1, 0.0, False, len(layers) == 2, False)[0]
        return output.squeeze(1)

    def recover(self, layer: Layer[Tensor], x: Tensor, h: Tensor, initial: tuple[Tensor, ...]) -> Recovered:
        arrays = side_by_side(1, h, h.shape[1])
        preactivations(layer, x, h, initial[0], out=arrays)
        before: NDArray[Any] = arrays[0]
        return Recovered({_BEFORE.name: before}, _squashed(layer.module, before))

    def reachable(
        self,
        layer: Layer[NDArray[Any]],
        x: NDArray[Any],
        h: NDArray[Any],
        initial: tuple[NDArray[Any], ...],
        rounding: Rounding,
    ) -> Bounds:
        del initial
        before = rounding.sums((x, layer.input), (h, layer.recurrent), bias=layer.bias)
        return before.through(partial(_squashed, layer.module))

    def gradients(
        self,
        layer: Layer[NDArray[Any]],
        signals: Mapping[str, NDArray[Any]],
        upstream: NDArray[Any],
        final: tuple[NDArray[Any], ...],
        held: HeldSteps | None = None,
    ) -> Gradients:
        """Back-propagate through time: dL/dh_t = upstream_t + W_hhᵀ dL/da_{t+1}, dL/da_t = dL/dh_t ⊙ φ′(a_t)."""
        slope = _slope(layer.module, self.stopped(signals, held))
        no_h = (held or {}).get(_STATE)
        dh = upstream.copy()
        dh[-1] += final[0]
        da = np.empty_like(dh)
        recurrent = repeated_product(layer.recurrent.T)
        through_time = np.empty(dh.shape[1])

        later: NDArray[Any] | None = None
        for count, (dh_t, da_t, slope_t) in enumerate(reversed(list(zip(dh, da, slope, strict=True)))):
            if count % STEPS_PER_CHECK == 0 and later is not None and has_vanished(later):
                later = None
            if later is not None:
                recurrent(later, through_time)
                np.add(dh_t, through_time, dh_t)
            if no_h is not None:
                dh_t[no_h[len(dh) - 1 - count]] = 0
            np.multiply(dh_t, slope_t, da_t)
            later = da_t
        recurrent(da[0], through_time)
        return Gradients({_STATE: dh, _BEFORE.name: da}, row_product(da, layer.input), (through_time,))

    def pull_back(
        self, layer: Layer[NDArray[Any]], signals: Mapping[str, NDArray[Any]], *, inputs: bool = False
    ) -> PullBack:
        """Return the product with the Jacobian of one step, diag(φ′(a_t)) W_hh."""
        slope = _slope(layer.module, signals)
        outputs = layer.recurrent.shape[1]
        weights = layer.recurrent if not inputs else np.concatenate((layer.recurrent, layer.input), axis=1)
        weights = weights.astype(np.float64)

        def pull_back(step: int, rows: tuple[NDArray[Any], ...]) -> PulledBack:
            (dh,) = rows
            through = (dh * slope[step]) @ weights
            if not inputs:
                return PulledBack(rows, (through,))
            return PulledBack(rows, (through[:, :outputs],), through[:, outputs:])

        return pull_back

    def step(
        self, layer: Layer[NDArray[Any]], entering: NDArray[Any], states: tuple[NDArray[Any], ...], edit: Edit
    ) -> dict[str, NDArray[Any]]:
        """Compute one step by hand."""
        before = layer.recurrent @ states[0]
        before += entering
        edit(_BEFORE.name, before)
        hidden = _squashed(layer.module, before)
        edit(_STATE, hidden)
        return {_BEFORE.name: before, _STATE: hidden}

    def sums(self, layer: Layer[NDArray[Any]]) -> dict[str, WeightedSum]:
        """Return the one sum."""
        squash = Squash.RELU if layer.module.nonlinearity == "relu" else Squash.TANH
        return block_sums(layer, {_BEFORE.name: squash}, _STATE)


def _start_at_identity(module: nn.RNN) -> None:
    """Let each unit repeat itself: recurrent weights the identity, biases zero, input weights of deviation 0.001."""
    from torch import nn

    for name, weight in module.named_parameters():
        if name.startswith("weight_hh"):
            nn.init.eye_(weight)
        elif name.startswith("weight_ih"):
            nn.init.normal_(weight, std=0.001)
        else:
            nn.init.zeros_(weight)


def _squashed(module: nn.Module, before: NDArray[Any]) -> NDArray[Any]:
    """Return φ of the pre-activations."""
    squashed: NDArray[Any] = np.maximum(before, 0) if module.nonlinearity == "relu" else np.tanh(before)
    return squashed


def _slope(module: nn.Module, signals: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    """Return φ′ at every step, (T, H) float64."""
    before = signals[_BEFORE.name]
    return (before > 0).astype(np.float64) if module.nonlinearity == "relu" else tanh_slope(before)


CELL = _RNN()

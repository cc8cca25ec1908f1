"""Kinds that read a window of inputs and nothing of what they computed before: memory that ends at a wall.

h_t = φ(Σ_j W_j x_{t−j} + b) over the last k inputs, j = 0 … k − 1, with zeros before the first; φ is tanh or relu.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from lstm_studio.networks.bounds import Bounds, Rounding
from lstm_studio.networks.cell import Gradients, HeldSteps, Layer, PullBack, PulledBack, Recovered
from lstm_studio.networks.products import row_product
from lstm_studio.networks.signals import INPUT, RECURRENT_STATE, Signal, preactivation
from lstm_studio.networks.slopes import tanh_slope
from lstm_studio.networks.stacked import StackedCell, options_of
from lstm_studio.networks.sums import Source, Squash, WeightedSum
from lstm_studio.networks.wiring import Wiring
from lstm_studio.networks.wirings.plain import windowed_wiring

if TYPE_CHECKING:
    from torch import Tensor, nn

STATE = RECURRENT_STATE.name
BEFORE = preactivation(RECURRENT_STATE)


class WindowedCell(StackedCell):
    """A layer whose weight is (H, F), or (H, F, k) with the present input last, as in ``torch.nn.Conv1d``."""

    states = (STATE,)
    # Both squashing functions are flat there.
    stops = MappingProxyType({BEFORE.name: {BEFORE.name: float("-inf")}})

    def state_sizes(self, hidden_size: int, options: Mapping[str, Any]) -> tuple[int, ...]:
        """Return H: the hidden state is given out as others give theirs, and never read."""
        del options
        return (hidden_size,)

    def signals(self, module: nn.Module) -> tuple[Signal, ...]:
        """Return the hidden state and what is before its squashing."""
        bounded = options_of(module)["nonlinearity"] == "tanh"
        return (RECURRENT_STATE if bounded else RECURRENT_STATE.with_levels(None), BEFORE)

    def wiring(self, options: Mapping[str, Any]) -> Wiring:
        """Return one that reads the window."""
        chosen = {option.name: option.default for option in self.options} | dict(options)
        return windowed_wiring(chosen.get("window", 1), chosen["nonlinearity"])

    def advance(
        self, layer: Layer[Tensor], x: Tensor, initial: tuple[Tensor, ...]
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Run one layer; ``initial`` changes nothing."""
        del initial
        hidden = _squash(layer.module, _before(layer, x))
        return hidden, (hidden[-1],)

    def recover(self, layer: Layer[Tensor], x: Tensor, h: Tensor, initial: tuple[Tensor, ...]) -> Recovered:
        """Compute the pre-activations again."""
        del h, initial
        before = _before(layer, x.unsqueeze(1)).squeeze(1)
        return Recovered({BEFORE.name: before.cpu().numpy()}, _squash(layer.module, before).cpu().numpy())

    def reachable(
        self,
        layer: Layer[NDArray[Any]],
        x: NDArray[Any],
        h: NDArray[Any],
        initial: tuple[NDArray[Any], ...],
        rounding: Rounding,
    ) -> Bounds:
        """Return the bounds of the squashed sums; neither hidden states nor ``initial`` change anything."""
        del h, initial
        weight = layer.input if layer.input.ndim == 3 else layer.input[:, :, None]
        padded = np.concatenate((np.zeros((weight.shape[2] - 1, x.shape[1])), x))
        windows = sliding_window_view(padded, weight.shape[2], axis=0)  # (T, F, k)
        whole = (windows.reshape(len(x), -1), weight.reshape(len(weight), -1))
        relu = options_of(layer.module)["nonlinearity"] == "relu"
        return rounding.sums(whole, bias=layer.bias).through(_rectified if relu else np.tanh)

    def gradients(
        self,
        layer: Layer[NDArray[Any]],
        signals: Mapping[str, NDArray[Any]],
        upstream: NDArray[Any],
        final: tuple[NDArray[Any], ...],
        held: HeldSteps | None = None,
    ) -> Gradients:
        """Differentiate: no step reaches an earlier one but through the window, dL/dx_t = Σ_j W_jᵀ dL/da_{t+j}."""
        before = self.stopped(signals, held)[BEFORE.name]
        relu = options_of(layer.module)["nonlinearity"] == "relu"
        dh = upstream.copy()
        dh[-1] += final[0]
        if held and STATE in held:
            dh[held[STATE]] = 0
        da = dh * ((before > 0).astype(np.float64) if relu else tanh_slope(before))
        weight = layer.input if layer.input.ndim == 3 else layer.input[:, :, None]
        window = weight.shape[2]
        dx = np.zeros((len(da), weight.shape[1]))
        for lag in range(min(window, len(da))):
            dx[: len(da) - lag] += row_product(da[lag:], np.ascontiguousarray(weight[:, :, window - 1 - lag]))
        return Gradients({STATE: dh, BEFORE.name: da}, dx, (np.zeros_like(final[0]),))

    def pull_back(
        self, layer: Layer[NDArray[Any]], signals: Mapping[str, NDArray[Any]], *, inputs: bool = False
    ) -> PullBack:
        """Return zeros for the step before, which no step reads; and what the step's own input passes."""
        before = signals[BEFORE.name]
        relu = options_of(layer.module)["nonlinearity"] == "relu"
        slope = (before > 0).astype(np.float64) if relu else tanh_slope(before)
        present = (layer.input if layer.input.ndim == 2 else layer.input[:, :, -1]).astype(np.float64)

        def pull_back(step: int, rows: tuple[NDArray[Any], ...]) -> PulledBack:
            (dh,) = rows
            return PulledBack((dh,), (np.zeros_like(dh),), (dh * slope[step]) @ present if inputs else None)

        return pull_back

    def sums(self, layer: Layer[NDArray[Any]]) -> dict[str, WeightedSum]:
        """Return the one sum: the bias stands with the present input."""
        squash = Squash.RELU if options_of(layer.module)["nonlinearity"] == "relu" else Squash.TANH
        weight = layer.input if layer.input.ndim == 3 else layer.input[:, :, None]
        window = weight.shape[2]
        present, *others = (Source(INPUT.name, weight[:, :, window - 1 - lag], lag=lag) for lag in range(window))
        return {BEFORE.name: WeightedSum(squash, (replace(present, bias=layer.input_bias), *others))}


def _before(layer: Layer[Tensor], x: Tensor) -> Tensor:
    """Return the (T, B, H) pre-activations for (T, B, F) inputs."""
    from torch.nn import functional

    if layer.input.dim() == 2:
        return functional.linear(x, layer.input, layer.input_bias)
    window = layer.input.shape[2]
    padded = functional.pad(x.permute(1, 2, 0), (window - 1, 0))  # (B, F, k − 1 + T)
    return functional.conv1d(padded, layer.input, layer.input_bias).permute(2, 0, 1)


def _rectified(before: NDArray[Any]) -> NDArray[Any]:
    rectified: NDArray[Any] = np.maximum(before, 0)
    return rectified


def _squash(module: nn.Module, before: Tensor) -> Tensor:
    return before.tanh() if options_of(module)["nonlinearity"] == "tanh" else before.relu()

"""The PyTorch module of every kind that PyTorch itself does not have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from lstm_studio.networks.cells import cell_of_kind
from lstm_studio.networks.sizes import Sizes
from lstm_studio.networks.stacked import StackedCell, entering_sizes, stacked_layer

States = Tensor | tuple[Tensor, ...]


class StackedModule(nn.Module):
    """A stack of layers over time, called as ``torch.nn.LSTM`` and its like are.

    The weights are named as theirs, ``weight_ih_l0``, ``bias_ih_l1_reverse``, and drawn uniformly from ±1/√H.

    Parameters
    ----------
    kind
        A kind in ``cells/`` that is a :class:`StackedCell`.
    sizes
        Of the stack.
    options
        Options of the kind.
    batch_first
        Whether the batch comes before time in inputs and outputs.

    Raises
    ------
    NetworkError
        If there is no such kind, or an option is unknown or does not fit the sizes.
    """

    def __init__(self, kind: str, sizes: Sizes, options: Mapping[str, Any], *, batch_first: bool = False) -> None:
        super().__init__()
        self.kind = kind
        cell = self.cell
        self.options = cell.checked(sizes, options)
        self.input_size, self.hidden_size, self.num_layers = sizes.input_size, sizes.hidden_size, sizes.layers
        self.bidirectional, self.bias, self.batch_first, self.proj_size = (
            sizes.bidirectional,
            sizes.bias,
            batch_first,
            0,
        )
        bound = sizes.hidden_size**-0.5
        for index, entering in enumerate(entering_sizes(sizes)):
            for end in ("", "_reverse")[: sizes.directions]:
                own = {}
                for stem, shape in cell.shapes(entering, sizes.hidden_size, sizes.bias, self.options).items():
                    own[stem] = nn.Parameter(nn.init.uniform_(torch.empty(shape), -bound, bound))
                    self.register_parameter(f"{stem}_l{index}{end}", own[stem])
                with torch.no_grad():
                    cell.start(own)

    @property
    def cell(self) -> StackedCell:
        """What this kind computes."""
        cell = cell_of_kind(self.kind)
        if not isinstance(cell, StackedCell):
            raise TypeError(f"{cell.title} has a module of PyTorch's own")
        return cell

    def forward(self, input: Tensor, hx: States | None = None) -> tuple[Tensor, States]:  # noqa: A002 - as in PyTorch
        """Run the stack.

        Parameters
        ----------
        input
            (T, F), (T, B, F), or batch first (B, T, F).
        hx
            One (L·D, [B,] ·) tensor per state, a single one not in a tuple; None for zeros.

        Returns
        -------
        tuple
            The top layer's hidden states, laid out as the input with D·H features, and the last states, as ``hx``.
        """
        batched = input.dim() == 3
        x = input.unsqueeze(1) if not batched else input.transpose(0, 1) if self.batch_first else input
        sizes = self.cell.state_sizes(self.hidden_size, self.options)
        directions = 2 if self.bidirectional else 1
        if hx is None:
            rows = self.num_layers * directions
            initial = tuple(x.new_zeros((rows, x.shape[1], size)) for size in sizes)
        else:
            given = (hx,) if isinstance(hx, Tensor) else hx
            initial = tuple(state if batched else state.unsqueeze(1) for state in given)
        last: list[tuple[Tensor, ...]] = []
        for index in range(self.num_layers):
            outputs = []
            for direction in range(directions):
                layer = stacked_layer(self, index, direction == 1)
                before = tuple(state[len(last)] for state in initial)
                hidden, after = self.cell.advance(layer, x.flip(0) if direction else x, before)
                outputs.append(hidden.flip(0) if direction else hidden)
                last.append(after)
            x = torch.cat(outputs, dim=-1)
        states = tuple(torch.stack(parts) for parts in zip(*last, strict=True))
        if not batched:
            x, states = x.squeeze(1), tuple(state.squeeze(1) for state in states)
        elif self.batch_first:
            x = x.transpose(0, 1)
        return x, states if len(states) > 1 else states[0]

    def extra_repr(self) -> str:
        """Return kind, sizes and options."""
        chosen = "".join(f", {name}={value!r}" for name, value in self.options.items())
        return f"{self.kind!r}, {self.input_size}, {self.hidden_size}, num_layers={self.num_layers}{chosen}"

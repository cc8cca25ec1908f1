"""How many weights a stack of layers has, in closed form."""

from __future__ import annotations

from lstm_studio.networks.sizes import Sizes


def stacked_weight_count(sizes: Sizes, gates: int, output_size: int | None = None) -> int:
    """Count the weights of a stack as ``torch.nn.RNNBase`` lays them out.

    Parameters
    ----------
    sizes
        Of the stack.
    gates
        G, rows per unit.
    output_size
        P, where the hidden state is projected; each layer and direction then has P·H weights more.
    """
    hidden = sizes.hidden_size
    out = hidden if output_size is None else output_size
    per_direction = 0
    for layer in range(sizes.layers):
        entering = sizes.input_size if layer == 0 else sizes.directions * out
        per_direction += gates * hidden * (entering + out + (2 if sizes.bias else 0))
        per_direction += 0 if output_size is None else out * hidden
    return sizes.directions * per_direction

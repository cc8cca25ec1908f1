"""The companion network: another kind of cell with the same budget."""

from __future__ import annotations

from typing import Any

from lstm_studio.errors import NetworkError
from lstm_studio.networks.cells import cell_of_kind
from lstm_studio.networks.sizes import Sizes

_LARGEST = 1 << 20


def parameter_count(
    kind: str,
    input_size: int,
    hidden_size: int,
    layers: int = 1,
    *,
    bidirectional: bool = False,
    outputs: int = 0,
    **options: Any,
) -> int:
    """Return the number of weights of the network that ``ls.new_network`` would build with the same arguments.

    Raises
    ------
    NetworkError
        If the kind, a size or an option is not valid.
    """
    sizes = Sizes(input_size, hidden_size, layers, bidirectional)
    into_read_out = sizes.directions * (options.get("proj_size", 0) or hidden_size)
    return cell_of_kind(kind).parameter_count(sizes, options) + outputs * (into_read_out + 1 if outputs else 0)


def nearest_hidden_size(
    kind: str,
    parameters: int,
    input_size: int,
    layers: int = 1,
    *,
    bidirectional: bool = False,
    outputs: int = 0,
    **options: Any,
) -> int:
    """Return the hidden size whose number of weights is nearest to ``parameters``; the smaller one of two as near.

    Parameters
    ----------
    kind
        Registered kind.
    parameters
        The budget, at least 1.
    input_size, layers, bidirectional, outputs, options
        As in ``ls.new_network``.

    Returns
    -------
    int
        Units per layer and direction, at least 1.

    Raises
    ------
    NetworkError
        If the kind, a size or an option is not valid.
    """
    if parameters < 1:
        raise NetworkError(f"A budget of {parameters} weights builds no network.", "Give at least 1.")

    step = cell_of_kind(kind).unit_step(options)

    def count(steps: int) -> int:
        return parameter_count(
            kind, input_size, step * steps, layers, bidirectional=bidirectional, outputs=outputs, **options
        )

    # The count grows with the hidden size: halve the interval in which the budget is crossed.
    low, high = 1, 2
    while count(high) < parameters and high < _LARGEST:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if count(middle) <= parameters else (low, middle)
    return step * min((low, high), key=lambda steps: abs(count(steps) - parameters))

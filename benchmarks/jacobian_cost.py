"""What exact Jacobian norms cost beside PyTorch's autograd taking one row at a time; one thread, batch 1, CPU.

``python benchmarks/jacobian_cost.py`` prints, for an LSTM and for a vanilla RNN of H units over T steps, the time for
the spectral norms of d state_T / d state_t for every state and all t, and the time in which autograd goes back through
the unrolled network once for each row of the same matrices. Of the rows only some are timed, all being alike; the norms
of autograd's matrices are not counted. Each time is the best of interleaved repetitions.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from functools import partial

# Before NumPy is imported: as many threads for its products as for PyTorch's.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import torch
from torch import Tensor, nn

from lstm_studio.engine.devices import use_interactive_threads
from lstm_studio.engine.jacobians import EXACT_UNITS, memory_curves
from lstm_studio.engine.tracing import trace

SIZES = ((200, 32), (1000, 64), (1000, EXACT_UNITS), (1000, 512))
FEATURES = 4
REPETITIONS = 5
ROWS_TIMED = 2


def main() -> None:
    use_interactive_threads()
    print(f"torch {torch.__version__}, one thread; best of {REPETITIONS}\n")
    print(f"{'kind':>6}{'T':>8}{'H':>8}{'rows':>8}{'norms, s':>12}{'autograd, s':>14}{'ratio':>8}")
    for kind in (nn.LSTM, nn.RNN):
        for steps, units in SIZES:
            torch.manual_seed(0)
            module = kind(FEATURES, units)
            x = torch.randn(steps, FEATURES)
            last, nodes = unrolled(module, x)
            rows = units * len(last)
            traced = trace(module, x, gradients=False)
            norms, row = best(partial(memory_curves, traced), partial(some_rows, last, nodes))
            autograd = row / (ROWS_TIMED * len(last)) * rows
            note = f"   (bounds from probes: more than {EXACT_UNITS} units)" if units > EXACT_UNITS else ""
            numbers = f"{rows:>8}{norms:>12.3f}{autograd:>14.1f}{autograd / norms:>8.0f}"
            print(f"{kind.__name__:>6}{steps:>8}{units:>8}{numbers}{note}")


def best(*works: Callable[[], object]) -> list[float]:
    """Return the shortest time of each in seconds; they take turns."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(REPETITIONS):
        for work, taken in zip(works, times, strict=True):
            start = time.perf_counter()
            work()
            taken.append(time.perf_counter() - start)
    return [min(taken) for taken in times]


def unrolled(module: nn.RNNBase, x: Tensor) -> tuple[list[Tensor], list[list[Tensor]]]:
    """Return the last value of each state, and each state at all steps, as nodes of one graph."""
    w_ih, w_hh, b_ih, b_hh = module.parameters()
    h = c = torch.zeros(module.hidden_size)
    hidden, cells = [], []
    for x_t in x:
        a = w_ih @ x_t + b_ih + w_hh @ h + b_hh
        if isinstance(module, nn.LSTM):
            i, f, g, o = a.chunk(4)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            cells.append(c)
        else:
            h = torch.tanh(a)
        hidden.append(h)
    return ([h, c], [hidden, cells]) if cells else ([h], [hidden])


def some_rows(last: list[Tensor], nodes: list[list[Tensor]]) -> None:
    for state, steps in zip(last, nodes, strict=True):
        for unit in range(ROWS_TIMED):
            torch.autograd.grad(state[unit], steps, retain_graph=True, allow_unused=True)


if __name__ == "__main__":
    main()

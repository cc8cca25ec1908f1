"""What a trace costs, as ratios to the fused kernel in the same run; one thread, batch 1, CPU.

``python benchmarks/trace_cost.py`` prints, for each number of steps T and units H:

- fused forward (``torch.nn.LSTM`` without gradients), and a full trace over it, beside a Python loop over
  ``nn.LSTMCell`` that collects the hidden and cell states;
- fused forward and backward, and a trace with all per-step gradients over it, beside autograd through an unrolled cell
  that keeps the gradient of every gate and state.

Each number is the median of interleaved repetitions, so that a busy machine slows all alike.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from lstm_studio.engine.devices import use_interactive_threads
from lstm_studio.engine.tracing import trace

SIZES = ((200, 32), (1000, 64), (1000, 256), (1000, 512))
FEATURES = 4
REPETITIONS = 9


def main() -> None:
    use_interactive_threads()
    print(
        f"torch {torch.__version__}, {torch.get_num_threads()} thread, {FEATURES} features, medians of {REPETITIONS}\n"
    )
    head = (
        "T",
        "H",
        "forward",
        "trace",
        "ratio",
        "loop",
        "ratio",
        "fwd+bwd",
        "trace+grad",
        "ratio",
        "unrolled",
        "ratio",
    )
    print("".join(f"{title:>11}" for title in head))
    for steps, units in SIZES:
        torch.manual_seed(0)
        module = nn.LSTM(FEATURES, units)
        x = torch.randn(steps, FEATURES)
        forward, traced, loop, both, gradients, unrolled = medians(
            partial(fused_forward, module, x),
            partial(trace, module, x, gradients=False),
            partial(cell_loop, module, x),
            partial(fused_forward_backward, module, x),
            partial(trace, module, x),
            partial(unrolled_autograd, module, x),
        )
        row = [forward, traced, traced / forward, loop, loop / forward]
        row += [both, gradients, gradients / both, unrolled, unrolled / both]
        print(f"{steps:>11}{units:>11}" + "".join(f"{value:>11.2f}" for value in row))
    print("\ntimes in milliseconds; each ratio is to the fused forward, or forward and backward, to its left")


def medians(*works: Callable[[], object]) -> list[float]:
    """Return the median time of each in milliseconds; they take turns."""
    times: list[list[float]] = [[] for _ in works]
    for repetition in range(REPETITIONS + 1):
        for work, taken in zip(works, times, strict=True):
            start = time.perf_counter()
            work()
            if repetition:
                taken.append(1e3 * (time.perf_counter() - start))
    return [statistics.median(taken) for taken in times]


@torch.no_grad()
def fused_forward(module: nn.LSTM, x: Tensor) -> Tensor:
    output: Tensor = module(x)[0]
    return output


@torch.no_grad()
def cell_loop(module: nn.LSTM, x: Tensor) -> list[tuple[Tensor, Tensor]]:
    cell = nn.LSTMCell(module.input_size, module.hidden_size)
    cell.load_state_dict({name.removesuffix("_l0"): tensor for name, tensor in module.state_dict().items()})
    h = c = torch.zeros(1, module.hidden_size)
    states = []
    for x_t in x.unsqueeze(1):
        h, c = cell(x_t, (h, c))
        states.append((h, c))
    return states


def fused_forward_backward(module: nn.LSTM, x: Tensor) -> tuple[Tensor, ...]:
    entering = x.clone().requires_grad_()
    loss = module(entering)[0][-1].sum()
    return torch.autograd.grad(loss, [entering, *module.parameters()])


def unrolled_autograd(module: nn.LSTM, x: Tensor) -> tuple[Tensor, ...]:
    w_ih, w_hh, b_ih, b_hh = module.parameters()
    h = c = torch.zeros(module.hidden_size)
    kept = []
    for x_t in x:
        a = w_ih @ x_t + b_ih + w_hh @ h + b_hh
        i, f, g, o = a.chunk(4)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        kept += [a, c, h]
    return torch.autograd.grad(h.sum(), kept)


if __name__ == "__main__":
    main()

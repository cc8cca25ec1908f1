"""What a trace costs, as ratios to the fused kernel in the same run; one thread, CPU, and CUDA where there is one.

``python benchmarks/trace_cost.py`` prints two tables, ready for ``docs/guide/quantities.md``. For each number of steps
T, units H and batch size B:

- fused forward (``torch.nn.LSTM`` without gradients), and a trace over it, of all gates and states; the same with every
  array looked up, so that what is computed only then (the pre-activations) counts too; beside them a Python loop over
  ``nn.LSTMCell`` that collects the hidden and cell states;
- fused forward and backward, and a trace with all per-step gradients over it, beside autograd through an unrolled cell
  that keeps the gradient of every gate and state, and beside the other way of going back through time: identity-input
  fused kernels where the loop by hand is used, and the other way round;
- the peak of resident memory during a trace over the size of its arrays, in a fresh process.

Each time is the median of interleaved repetitions, so that a busy machine slows all alike.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lstm_studio.engine import fused
from lstm_studio.engine.devices import available_devices, one_blas_thread, use_interactive_threads
from lstm_studio.engine.trace import Trace
from lstm_studio.engine.tracing import trace

SIZES = ((200, 32, 1), (1000, 64, 1), (1000, 256, 1), (1000, 512, 1), (1000, 256, 16))
FEATURES = 4
REPETITIONS = 7
MORE_REPETITIONS = 31
SMALL = 1000 * 64
"""Steps times units up to which times are a few milliseconds, and vary most: they are taken so often."""
MEMORY_SIZES = ((1000, 256), (4000, 512))


def main() -> None:
    use_interactive_threads()
    for device in available_devices():
        with one_blas_thread():
            time_all(device)
    if not Path("/proc/self/clear_refs").exists():
        print("The peak of memory is measured on Linux only.")
        return
    print("| T | H | arrays, MB | peak, MB | peak / arrays |\n|---|---|---|---|---|")
    for steps, units in MEMORY_SIZES:
        arrays, peak = in_fresh_process(steps, units)
        print(f"| {steps} | {units} | {arrays / 1e6:.1f} | {peak / 1e6:.1f} | {peak / arrays:.2f} |")


def time_all(device: str) -> None:
    counts = f"medians of {REPETITIONS}, and of {MORE_REPETITIONS} at the first two sizes"
    print(f"torch {torch.__version__}, {device}, one thread, {FEATURES} features, {counts}, ms\n")
    head = ["T", "H", "B", "forward", "trace", "ratio", "every array, ratio", "loop, ratio"]
    head += ["forward + backward", "trace with gradients", "ratio", "unrolled, ratio", "the other way, ratio"]
    print("| " + " | ".join(head) + " |\n" + "|---" * len(head) + "|")
    for steps, units, batch in SIZES:
        torch.manual_seed(0)
        module = nn.LSTM(FEATURES, units).to(device)
        x = torch.randn(steps, batch, FEATURES, device=device)
        forward, traced, whole, loop, both, gradients, unrolled, other = medians(
            partial(fused_forward, module, x),
            partial(trace, module, x, gradients=False),
            partial(trace_of_every_array, module, x),
            partial(cell_loop, module, x),
            partial(fused_forward_backward, module, x),
            partial(trace, module, x),
            partial(unrolled_autograd, module, x),
            partial(trace_the_other_way, module, x),
            repetitions=MORE_REPETITIONS if steps * units * batch <= SMALL else REPETITIONS,
        )
        cells = [str(steps), str(units), str(batch), f"{forward:.2f}", f"{traced:.2f}", f"**{traced / forward:.2f}**"]
        cells += [
            f"{whole / forward:.2f}",
            f"{loop / forward:.2f}",
            f"{both:.2f}",
            f"{gradients:.2f}",
            f"**{gradients / both:.2f}**",
        ]
        cells += [f"{unrolled / both:.2f}", f"{other / both:.2f}"]
        print("| " + " | ".join(cells) + " |", flush=True)
    print()


def medians(*works: Callable[[], object], repetitions: int) -> list[float]:
    """Return the median time of each in milliseconds; they take turns."""
    times: list[list[float]] = [[] for _ in works]
    for repetition in range(repetitions + 1):
        for work, taken in zip(works, times, strict=True):
            start = time.perf_counter()
            work()
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            if repetition:
                taken.append(1e3 * (time.perf_counter() - start))
    return [statistics.median(taken) for taken in times]


@torch.no_grad()
def fused_forward(module: nn.LSTM, x: Tensor) -> Tensor:
    output: Tensor = module(x)[0]
    return output


def trace_of_every_array(module: nn.LSTM, x: Tensor) -> list[NDArray[Any]]:
    return list(trace(module, x, gradients=False).arrays.values())


@torch.no_grad()
def cell_loop(module: nn.LSTM, x: Tensor) -> list[tuple[Tensor, Tensor]]:
    cell = nn.LSTMCell(module.input_size, module.hidden_size, device=x.device)
    cell.load_state_dict({name.removesuffix("_l0"): tensor for name, tensor in module.state_dict().items()})
    h = c = torch.zeros(x.shape[1], module.hidden_size, device=x.device)
    states = []
    for x_t in x:
        h, c = cell(x_t, (h, c))
        states.append((h, c))
    return states


def fused_forward_backward(module: nn.LSTM, x: Tensor) -> tuple[Tensor, ...]:
    entering = x.clone().requires_grad_()
    loss = module(entering)[0][-1].sum()
    return torch.autograd.grad(loss, [entering, *module.parameters()])


def unrolled_autograd(module: nn.LSTM, x: Tensor) -> tuple[Tensor, ...]:
    w_ih, w_hh, b_ih, b_hh = module.parameters()
    h = c = torch.zeros(x.shape[1], module.hidden_size, device=x.device)
    kept = []
    for x_t in x:
        a = x_t @ w_ih.t() + b_ih + h @ w_hh.t() + b_hh
        i, f, g, o = a.chunk(4, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        kept += [a, c, h]
    return torch.autograd.grad(h.sum(), kept)


def trace_the_other_way(module: nn.LSTM, x: Tensor) -> Trace:
    chosen = fused.is_faster(x.device, module)
    with patch.object(fused, "is_faster", return_value=not chosen):
        return trace(module, x)


def in_fresh_process(steps: int, units: int) -> tuple[int, int]:
    """Return the bytes of a trace's arrays and the growth of resident memory at its peak."""
    told = subprocess.run(
        [sys.executable, __file__, "memory", str(steps), str(units)], check=True, capture_output=True, text=True
    )
    arrays, peak = json.loads(told.stdout)
    return arrays, peak


def measure_memory(steps: int, units: int) -> None:
    use_interactive_threads()
    module, x = nn.LSTM(FEATURES, units), torch.randn(steps, FEATURES)
    # Whatever is set up once is not the trace's: libraries, thread pools, kernels compiled for the size of the units.
    trace(module, x[:2])
    before = resident("VmRSS")
    # Forget the peak of everything up to here.
    Path("/proc/self/clear_refs").write_text("5")
    traced = trace(module, x)
    peak = resident("VmHWM")
    print(json.dumps((sum(array.nbytes for array in traced.arrays.values()), peak - before)))


def resident(entry: str) -> int:
    """Return the resident memory of this process in bytes: ``"VmRSS"`` now, or ``"VmHWM"`` at its peak."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(entry))
    return 1024 * int(line.split()[1])


if __name__ == "__main__":
    if sys.argv[1:2] == ["memory"]:
        measure_memory(int(sys.argv[2]), int(sys.argv[3]))
    else:
        main()

"""Recurrent layers as a plain autograd graph, one step and one sequence after another: the oracle for gradients."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn


class StepByStep:
    """Computes what a stack computes and keeps every state and pre-activation of every step, as nodes of the graph."""

    def __init__(self, module: nn.RNNBase, prefix: str) -> None:
        self.module, self.prefix = module, prefix
        self.nodes: dict[str, list[Tensor]] = {}

    def run(self, x: Tensor, initial: tuple[Tensor, ...] = ()) -> tuple[Tensor, list[tuple[Tensor, ...]]]:
        """Return the (T, D·P) output and the final states of each layer and direction; ``x`` is (T, F)."""
        module = self.module
        self.nodes = {}
        given = list(x)
        final: list[tuple[Tensor, ...]] = []
        for index in range(module.num_layers):
            directions = []
            for reverse in (False, True)[: 2 if module.bidirectional else 1]:
                row = len(final)
                start = tuple(state[row] for state in initial) or self._zeros()
                outputs, last = self._layer(index, reverse, given, start)
                directions.append(outputs)
                final.append(last)
            given = [torch.cat(parts) for parts in zip(*directions, strict=True)]
        return torch.stack(given), final

    def _zeros(self) -> tuple[Tensor, ...]:
        module = self.module
        weight = next(module.parameters())
        h = weight.new_zeros(getattr(module, "proj_size", 0) or module.hidden_size)
        return (h, weight.new_zeros(module.hidden_size)) if isinstance(module, nn.LSTM) else (h,)

    def _layer(
        self, index: int, reverse: bool, given: list[Tensor], start: tuple[Tensor, ...]
    ) -> tuple[list[Tensor], tuple[Tensor, ...]]:
        weights = dict(self.module.named_parameters())
        end = f"_l{index}{'_reverse' if reverse else ''}"
        name = f"{self.prefix}.{index}{'.reverse' if reverse else ''}"
        own = {key.removesuffix(end): weight for key, weight in weights.items() if key.endswith(end)}
        states, outputs, order = start, list(given), range(len(given))
        kept: list[dict[str, Tensor]] = [{} for _ in given]
        for t in reversed(order) if reverse else order:
            states = one_step(self.module, own, given[t], states, kept[t])
            outputs[t] = states[0]
        for key in kept[0]:
            self.nodes[f"{name}.{key}"] = [step[key] for step in kept]
        return outputs, states


def one_step(
    module: nn.Module, weights: Mapping[str, Tensor], x: Tensor, states: tuple[Tensor, ...], kept: dict[str, Tensor]
) -> tuple[Tensor, ...]:
    """Return the states after one step, for the formulas of PyTorch's documentation."""
    h = states[0]
    entering = weights["weight_ih"] @ x + weights.get("bias_ih", torch.zeros((), dtype=x.dtype))
    recurrent = weights["weight_hh"] @ h + weights.get("bias_hh", torch.zeros((), dtype=x.dtype))
    if isinstance(module, nn.LSTM | nn.LSTMCell):
        names = ("input_gate", "forget_gate", "candidate", "output_gate")
        i, f, g, o = (part.clone() for part in (entering + recurrent).chunk(4))
        kept |= {f"{key}.preactivation": part for key, part in zip(names, (i, f, g, o), strict=True)}
        c = torch.sigmoid(f) * states[1] + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        h = weights["weight_hr"] @ h if "weight_hr" in weights else h.clone()
        kept |= {"cell_state": c, "hidden_state": h}
        return h, c
    if isinstance(module, nn.GRU | nn.GRUCell):
        (ir, iz, ig), (hr, hz, hg) = entering.chunk(3), recurrent.chunk(3)
        r, z = ir + hr, iz + hz
        candidate = ig + torch.sigmoid(r) * hg
        h = (1 - torch.sigmoid(z)) * torch.tanh(candidate) + torch.sigmoid(z) * h
        kept |= {"reset_gate.preactivation": r, "update_gate.preactivation": z}
        kept |= {"candidate.preactivation": candidate, "hidden_state": h}
        return (h,)
    a = entering + recurrent
    h = torch.tanh(a) if module.nonlinearity == "tanh" else torch.relu(a)
    kept |= {"hidden_state.preactivation": a, "hidden_state": h}
    return (h,)

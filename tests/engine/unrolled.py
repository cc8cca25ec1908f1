"""The stack as a plain autograd graph, one step after another: the oracle for gradients."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def unrolled(module: nn.RNNBase, x: Tensor, prefix: str) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the (T, D·P) output and every state and pre-activation of every step, by canonical name and step.

    The names are ``{layer prefix}.{signal}:{t}``; each is a node of the graph that leads to the output.
    """
    nodes: dict[str, Tensor] = {}
    weights = dict(module.named_parameters())
    is_lstm = isinstance(module, nn.LSTM)
    steps = len(x)
    outputs = list(x)
    for layer in range(module.num_layers):
        directions = []
        for reverse in (False, True)[: 2 if module.bidirectional else 1]:
            end = f"_l{layer}{'_reverse' if reverse else ''}"
            name = f"{prefix}.{layer}{'.reverse' if reverse else ''}"
            h = torch.zeros(module.proj_size or module.hidden_size, dtype=x.dtype)
            c = torch.zeros(module.hidden_size, dtype=x.dtype)
            hidden: list[Tensor] = [h] * steps
            for t in reversed(range(steps)) if reverse else range(steps):
                a = weights[f"weight_ih{end}"] @ outputs[t] + weights[f"weight_hh{end}"] @ h
                if module.bias:
                    a = a + weights[f"bias_ih{end}"] + weights[f"bias_hh{end}"]
                if is_lstm:
                    parts = [part.clone() for part in a.chunk(4)]
                    gates = ("input_gate", "forget_gate", "candidate", "output_gate")
                    nodes |= {f"{name}.{gate}.preactivation:{t}": part for gate, part in zip(gates, parts, strict=True)}
                    i, f, g, o = parts
                    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
                    nodes[f"{name}.cell_state:{t}"] = c
                    h = torch.sigmoid(o) * torch.tanh(c)
                    h = weights[f"weight_hr{end}"] @ h if module.proj_size else h
                else:
                    nodes[f"{name}.hidden_state.preactivation:{t}"] = a
                    h = torch.tanh(a) if module.nonlinearity == "tanh" else torch.relu(a)
                nodes[f"{name}.hidden_state:{t}"] = h
                hidden[t] = h
            directions.append(hidden)
        outputs = [torch.cat(parts) for parts in zip(*directions, strict=True)]
    return torch.stack(outputs), nodes

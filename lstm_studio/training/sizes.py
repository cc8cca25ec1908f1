"""How large the networks of a training are, before any is built; importing this module does not import torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lstm_studio.networks.cells import cell_of_kind
from lstm_studio.networks.companion import nearest_hidden_size, parameter_count
from lstm_studio.training.plan import Equal, Plan, keys_of


@dataclass(frozen=True, slots=True)
class NetworkSize:
    """One network of a training.

    Parameters
    ----------
    key, kind, title
        What the run calls it; its registered kind; that kind's proper name.
    hidden_size, layers
        Units per layer, and layers.
    weights
        All numbers that are learned, the read-out's among them.
    forget_gate
        Whether its forget gates can be given a bias to begin with.
    """

    key: str
    kind: str
    title: str
    hidden_size: int
    layers: int
    weights: int
    forget_gate: bool


def network_sizes(
    kinds: Sequence[str], features: int, answers: int, *, hidden: int, layers: int, match: Equal
) -> tuple[NetworkSize, ...]:
    """Return the networks that are trained side by side.

    Parameters
    ----------
    kinds
        Registered kinds, the first network's first.
    features, answers
        F numbers enter at each step, and K are asked for.
    hidden, layers
        Units and layers of the first network.
    match
        What the others have in common with it.

    Raises
    ------
    NetworkError
        If there is no such kind, or a size does not fit it.
    """
    found: list[NetworkSize] = []
    for key, kind in zip(keys_of(kinds), kinds, strict=True):
        units = hidden
        if found and match is Equal.PARAMETERS:
            units = nearest_hidden_size(kind, found[0].weights, features, layers, outputs=answers)
        weights = parameter_count(kind, features, units, layers, outputs=answers)
        cell = cell_of_kind(kind)
        forgets = any(option.name == "forget_bias" for option in cell.options)
        found.append(NetworkSize(key, kind, cell.title, units, layers, weights, forgets))
    return tuple(found)


def sizes_of(plan: Plan, features: int | None = None, answers: int | None = None) -> tuple[NetworkSize, ...]:
    """Return the networks of a plan; where a sequence is learned, with its features and answers.

    Raises
    ------
    StudioError
        If a network cannot be built so.
    """
    if plan.task:
        task = plan.new_task()
        features, answers = len(task.features), len(task.answers)
    shape: Any = (features, answers)
    return network_sizes(plan.kinds, *shape, hidden=plan.hidden, layers=plan.layers, match=plan.match)

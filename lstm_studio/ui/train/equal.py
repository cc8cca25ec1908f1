"""What two networks in training have in common, and what not; free of Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lstm_studio.errors import StudioError
from lstm_studio.training.plan import Optimiser, Plan
from lstm_studio.training.sizes import NetworkSize, sizes_of
from lstm_studio.ui.numbers import format_count, format_tick

OPTIMISERS = {Optimiser.ADAM: "Adam", Optimiser.SGD: "SGD"}
_EQUAL, _UNEQUAL = "=", "≠"


@dataclass(frozen=True, slots=True)
class EqualRow:
    """One line of the list.

    Parameters
    ----------
    name
        What is compared.
    text
        Of both networks, ``"16 = 16"``.
    same
        Whether it is kept equal.
    """

    name: str
    text: str
    same: bool


def network_sizes_of(plan: Plan, shape: tuple[int, int] | None) -> tuple[NetworkSize, ...]:
    """Return the networks of a plan; none where that is not known before the sequence has been read, or cannot be.

    Parameters
    ----------
    plan
        What is to be trained.
    shape
        Features and answers of the loaded sequence, where one is to be learned.
    """
    try:
        if plan.task:
            return sizes_of(plan)
        return () if shape is None else sizes_of(plan, *shape)
    except StudioError:
        return ()


def equal_rows(plan: Plan, sizes: Sequence[NetworkSize]) -> tuple[EqualRow, ...]:
    """Return what is kept equal between the networks of a plan, and what cannot be."""
    if not plan.companion:
        return ()
    rows = []
    if len(sizes) == 2:
        rows.append(_pair("Hidden units", *(format_count(size.hidden_size) for size in sizes)))
    rows += [
        _pair("Layers", *[str(plan.layers)] * 2),
        _pair("Seed", *[str(plan.seed)] * 2),
        EqualRow("Batches, order", f"{format_count(plan.batch)} × same", True),
        EqualRow("Optimiser", f"{OPTIMISERS[plan.optimiser]} {format_tick(plan.learning_rate)}", True),
    ]
    rows.append(
        _pair("Gradient clip", *[format_tick(plan.clip)] * 2) if plan.clip else EqualRow("Gradient clip", "none", True)
    )
    rows.append(_pair("Steps", *[format_count(plan.updates)] * 2))
    if len(sizes) == 2:
        rows.append(_pair("Weights", *(format_count(size.weights) for size in sizes)))
        biased = [size.forget_gate and plan.forget_bias is not None for size in sizes]
        if biased[0] != biased[1]:
            bias = format_tick(plan.forget_bias or 0.0)
            texts = [bias if has else "none" for has in biased]
            rows.append(_pair("Forget bias", *texts))
    return tuple(rows)


def _pair(name: str, first: str, second: str) -> EqualRow:
    same = first == second
    return EqualRow(name, f"{first} {_EQUAL if same else _UNEQUAL} {second}", same)

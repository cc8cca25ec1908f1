"""What cells say their signals are made of is what the traces show."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from lstm_studio.engine.tracing import trace
from lstm_studio.networks.cells import cells
from lstm_studio.networks.network import new_network
from lstm_studio.networks.signals import Form, Operand

STEPS, FEATURES, UNITS = 9, 3, 4


@pytest.mark.parametrize("kind", list(cells()))
def test_every_composition_gives_the_signal(kind: str) -> None:
    values = np.random.default_rng(0).normal(size=(STEPS, FEATURES))
    traced = trace(new_network(kind, FEATURES, UNITS, seed=1), values, gradients=False, dtype="float64")
    (layer,) = traced.layers

    def entering(operand: Operand) -> NDArray[np.float64]:
        array = traced[f"{layer.prefix}.{operand.signal}"]
        if operand.before:
            array = np.concatenate([np.zeros((1, UNITS)), array[:-1]])
        forms: dict[Form, NDArray[np.float64]]
        forms = {Form.PLAIN: array, Form.TANH: np.tanh(array), Form.COMPLEMENT: 1 - array}
        return forms[operand.form]

    for signal in layer.signals:
        made = signal.composition
        if made is not None:
            left, right = entering(made.left), entering(made.right)
            again = left * right if made.sign == "×" else left + right
            np.testing.assert_allclose(again, traced[f"{layer.prefix}.{signal.name}"], rtol=1e-12, atol=1e-14)


def test_the_cells_with_gates_say_how_their_memory_is_made() -> None:
    phases = {
        kind: [
            signal.composition.phase
            for signal in trace(new_network(kind, 1, 2), np.zeros((2, 1)), gradients=False).layers[0].signals
            if signal.composition is not None
        ]
        for kind in cells()
    }
    assert {kind: sorted(found) for kind, found in phases.items() if found} == {
        "gru": [1, 2, 3],
        "lstm": [1, 2, 3, 4],
        "lstm-1997": [2, 3, 4],
        "lstm-article": [1, 2, 3, 4],
    }

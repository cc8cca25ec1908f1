"""Dropout between the layers of a stack in training mode, against the module itself run once more on the same seed."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from lstm_studio import TraceError, resume, trace
from lstm_studio.engine.itemised import itemised_gradient
from tests.engine.test_tracing import NO_PROJECTION_IN_ONEDNN, values

STACKS: dict[str, Any] = {
    "lstm": nn.LSTM,
    "projected": lambda *sizes, **options: nn.LSTM(*sizes, proj_size=3, **options),
    "gru": nn.GRU,
    "rnn": nn.RNN,
    "relu": lambda *sizes, **options: nn.RNN(*sizes, nonlinearity="relu", **options),
}


@pytest.mark.filterwarnings(NO_PROJECTION_IN_ONEDNN)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("stack", "bidirectional"), list(itertools.product(sorted(STACKS), [False, True])))
@pytest.mark.parametrize("layout", ["alone", "batch", "batch first", "packed"])
def test_what_the_layers_dropped_is_found(stack: str, bidirectional: bool, layout: str, dtype: str) -> None:
    torch.manual_seed(1)
    wide = {"float32": torch.float32, "float64": torch.float64}[dtype]
    module = STACKS[stack](2, 6, 3, dropout=0.4, bidirectional=bidirectional, batch_first=layout == "batch first")
    module = module.to(wide).train()
    items, item = (1, 0) if layout == "alone" else (3, 1)
    x = torch.from_numpy(values(11 * items, 2)).to(wide).reshape(11, items, 2)
    lengths = [11, 9, 6]
    given: Any = {"alone": x[:, 0], "batch first": x.transpose(0, 1)}.get(layout, x)
    given = pack_padded_sequence(x, lengths) if layout == "packed" else given

    torch.manual_seed(7)
    traced = trace(module, given, item=item, dtype=dtype)
    after = torch.get_rng_state()
    torch.manual_seed(7)
    assert torch.equal(torch.get_rng_state(), after)
    assert traced.provenance.dropout == 0.4
    assert traced.recovery_error < (1e-5 if dtype == "float32" else 1e-12)
    assert module.training

    torch.manual_seed(7)
    entering = (given.data if layout == "packed" else given).clone().requires_grad_()
    _, states = module(given._replace(data=entering) if layout == "packed" else entering)
    final = states[0] if isinstance(states, tuple) else states
    directions = 2 if bidirectional else 1
    last = final[-directions:] if layout == "alone" else final[-directions:, item]
    (gradient,) = torch.autograd.grad(last.sum(), entering)

    def of_item(tensor: Tensor) -> Any:
        if layout == "packed":
            steps = nn.utils.rnn.pad_packed_sequence(given._replace(data=tensor))[0]
            return steps[: lengths[item], item].detach().numpy()
        found = tensor if layout == "alone" else tensor[item] if layout == "batch first" else tensor[:, item]
        return found.detach().numpy()

    names = [layer.prefix for layer in traced.layers if layer.prefix.split(".")[1] == "2"]
    hidden = np.concatenate([traced[f"{prefix}.hidden_state"] for prefix in names], axis=1)
    torch.manual_seed(7)
    # Kernels may round otherwise while autograd records, which it does for a trace of a single sequence.
    with torch.set_grad_enabled(layout == "alone"):
        same = module(given)[0]
    data = same.data if layout == "packed" else same
    assert hidden.tobytes() == of_item(data).tobytes()
    tolerance = 1e-9 if dtype == "float64" else 1e-4
    np.testing.assert_allclose(traced["grad.input"], of_item(gradient), rtol=tolerance, atol=tolerance * 1e-2)


def test_dropout_counts_in_training_mode_only() -> None:
    module = nn.LSTM(3, 16, 2, dropout=0.5)
    x = values(20, 3)
    torch.manual_seed(0)
    training = trace(module, x)
    again = trace(module, x)
    assert training["lstm.1.hidden_state"].tobytes() == again["lstm.1.hidden_state"].tobytes()
    torch.manual_seed(1)
    assert trace(module, x)["lstm.1.hidden_state"].tobytes() != training["lstm.1.hidden_state"].tobytes()
    still = trace(module.eval(), x)
    assert still.provenance.dropout == 0
    assert still["lstm.0.hidden_state"].tobytes() == training["lstm.0.hidden_state"].tobytes()
    assert still["lstm.1.hidden_state"].tobytes() == module(torch.from_numpy(x))[0].detach().numpy().tobytes()


def test_what_a_model_draws_before_changes_nothing() -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.noise, self.rnn = nn.Dropout(0.3), nn.GRU(2, 5, 2, dropout=0.5)

        def forward(self, x: Tensor) -> Tensor:
            both: Tensor = self.rnn(self.noise(x))[0] + self.rnn(self.noise(x))[0]
            return both

    model = Model()
    torch.manual_seed(3)
    traced = trace(model, torch.from_numpy(values(9, 2)), gradients=False)
    torch.manual_seed(3)
    output = model(torch.from_numpy(values(9, 2))).detach().numpy()
    both = traced["rnn.1.hidden_state"] + traced["rnn#2.1.hidden_state"]
    assert both.tobytes() == output.tobytes()


def test_what_would_have_to_go_through_the_stack_again_says_so() -> None:
    module = nn.LSTM(2, 4, 2, dropout=0.5)
    traced = trace(module, values(9, 2))
    with pytest.raises(TraceError, match="dropped out 50% of what") as raised:
        resume(traced, at=3, clamp={"lstm.0.forget_gate": {0: 1.0}})
    assert "model.eval()" in raised.value.cure
    with pytest.raises(TraceError, match="dropped out 50% of what"):
        itemised_gradient(traced, "lstm.0.hidden_state", "hidden")

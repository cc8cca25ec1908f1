"""Gates read from what the fused kernel kept, against the equations; and arrays that are computed when asked for."""

from __future__ import annotations

import subprocess
import sys
from threading import Thread
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lstm_studio.engine.tracing import trace
from lstm_studio.networks import kernel_gates
from lstm_studio.networks.cells import cell_of_kind
from lstm_studio.networks.cells import lstm as lstm_file
from lstm_studio.networks.deferred import Arrays, Deferred, Once, computed, one_after_the_other, parts_of


def network(scale: float, **options: Any) -> tuple[nn.LSTM, Tensor]:
    torch.manual_seed(0)
    module = nn.LSTM(3, options.pop("units", 20), **options)
    with torch.no_grad():
        for weight in module.parameters():
            weight.mul_(scale)
    return module, torch.randn(60, 3)


def only_kept(monkeypatch: pytest.MonkeyPatch, units: int = 20) -> None:
    """Let a trace fail whose gates are computed in float32."""
    if not kernel_gates.may_be_kept(nn.LSTM(1, units), torch.zeros(1)):
        pytest.skip("this PyTorch keeps no gates")
    monkeypatch.setattr(kernel_gates, "_FEWEST", 0)
    cell = type(cell_of_kind("lstm"))
    usual = cell.recover

    def recover(self: Any, layer: Any, x: Tensor, h: Tensor, initial: Any) -> Any:
        assert x.dtype == torch.float64
        return usual(self, layer, x, h, initial)

    monkeypatch.setattr(cell, "recover", recover)


@pytest.mark.parametrize("options", [{}, {"num_layers": 2}, {"bidirectional": True}, {"bias": False}])
@pytest.mark.parametrize("units", [1, 20, 64])
def test_kept_gates_are_those_of_the_equations(
    units: int, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    only_kept(monkeypatch, units)
    module, x = network(3.0, units=units, **options)
    kept, computed = trace(module, x, gradients=False), trace(module, x, gradients=False, dtype="float64")
    assert kept.names == computed.names
    for name in kept.names:
        np.testing.assert_allclose(kept[name], computed[name], rtol=1e-4, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("options", [{}, {"num_layers": 2}, {"bidirectional": True}])
@pytest.mark.parametrize("units", [1, 20, 64, 100])
@pytest.mark.parametrize(("steps", "features"), [(2, 3), (60, 3), (150, 200)])
def test_kept_cell_states_are_those_of_the_equations(
    steps: int, features: int, units: int, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(1)
    module, x = nn.LSTM(features, units, **options), torch.randn(steps, features)
    computed = trace(module, x, gradients=False, dtype="float64")
    only_kept(monkeypatch, units)
    monkeypatch.setattr(lstm_file, "linear_scan", lambda *_: pytest.fail("computed"))
    kept = trace(module, x, gradients=False)
    for layer in kept.layers:
        for signal in ("retained", "cell_state"):
            name = f"{layer.prefix}.{signal}"
            np.testing.assert_allclose(kept[name], computed[name], rtol=1e-5, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("step", [0, 30, 58])
def test_cell_states_that_do_not_follow_from_each_other_are_computed(
    step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, x = network(1.0)
    usual = trace(module, x, gradients=False)

    def cell_states_in(*about: Any) -> Any:
        found = kernel_gates.cell_states_in(*about)
        assert found is not None
        wrong = found.copy()
        wrong[step, 7] += 0.001
        return wrong

    only_kept(monkeypatch)
    monkeypatch.setattr(lstm_file, "cell_states_in", cell_states_in)
    again = trace(module, x, gradients=False)
    assert again.recovery_error < 1e-6
    np.testing.assert_allclose(again["lstm.0.cell_state"], usual["lstm.0.cell_state"], atol=1e-6)


def test_what_is_nowhere_in_a_block_is_not_found() -> None:
    numbers = torch.zeros(4 * 8 * kernel_gates._PAGE, dtype=torch.uint8)
    assert kernel_gates.cell_states_in(numbers, 300, np.full(20, 0.3, np.float32)) is None
    assert kernel_gates.cell_states_in(numbers, 1000, np.zeros(20, np.float32)) is None
    assert kernel_gates.cell_states_in(numbers, 1, np.zeros(20, np.float32)) is None


def test_where_cell_states_were_is_looked_at_first(monkeypatch: pytest.MonkeyPatch) -> None:
    places: dict[tuple[int, int], int] = {}
    monkeypatch.setattr(kernel_gates, "_PLACES", places)
    monkeypatch.setattr(kernel_gates, "_MOST_PLACES", 2)
    page, steps, units = kernel_gates._PAGE, 300, 20
    states = np.random.default_rng(0).normal(size=(steps - 1, units)).astype(np.float32)
    begin = (steps * 7 * units // page) * page + (steps + 2) * units

    def block(place: int) -> Tensor:
        numbers = np.zeros(begin + 64 * page, np.float32)
        numbers[begin + place * page :][: states.size] = states.reshape(-1)
        return torch.from_numpy(numbers.view(np.uint8))

    for place in (3, 3, 40, 0):
        found = kernel_gates.cell_states_in(block(place), steps, states[0])
        np.testing.assert_array_equal(found, states)
        assert places[steps, units] == place
    # Sizes without end take no memory without end.
    for more in (1, 2, 3):
        assert kernel_gates.cell_states_in(block(3), steps, states[0] + 1) is None
        longer = torch.zeros(4 * 16 * steps * (units + more), dtype=torch.uint8)
        assert kernel_gates.cell_states_in(longer, steps, np.zeros(units + more, np.float32)) is not None
        assert len(places) <= 2


def test_few_cell_states_are_not_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = torch.zeros(4 * 8 * kernel_gates._PAGE, dtype=torch.uint8)
    assert kernel_gates.cell_states_in(numbers, 10, np.zeros(20, np.float32)) is None
    monkeypatch.setattr(kernel_gates, "_FEWEST", 0)
    found = kernel_gates.cell_states_in(numbers, 10, np.zeros(20, np.float32))
    assert found is not None
    assert found.shape == (9, 20)


@pytest.mark.parametrize("wrong", [0.01, np.nan, np.inf])
def test_numbers_are_the_same_but_for_rounding(wrong: float) -> None:
    numbers = np.array([[1e-3, 1.0], [-200.0, 0.0]], np.float32)
    assert kernel_gates.are_same(numbers * np.float32(1 + 3e-7), numbers)
    for place in np.ndindex(numbers.shape):
        other = numbers.copy()
        other[place] += wrong
        with np.errstate(all="ignore"):
            assert not kernel_gates.are_same(other, numbers)


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_lower_layers_of_a_stack_are_not_run_again(
    bidirectional: bool, batch_first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_kept(monkeypatch, 6)
    module = nn.LSTM(3, 6, 3, bidirectional=bidirectional, batch_first=batch_first)
    x = torch.randn(1, 40, 3) if batch_first else torch.randn(40, 1, 3)
    computed = trace(module, x, dtype="float64")
    monkeypatch.setattr(type(cell_of_kind("lstm")), "run", lambda *_: pytest.fail("run again"))
    kept = trace(module, x)
    assert kept.names == computed.names
    for name in kept.names:
        np.testing.assert_allclose(kept[name], computed[name], rtol=1e-3, atol=1e-6, err_msg=name)


def test_a_block_laid_out_otherwise_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    module, x = network(1.0)
    usual = trace(module, x, gradients=False)

    def gates_in(block: Tensor, steps: int, units: int) -> Any:
        found = kernel_gates.gates_in(block, steps, units)
        assert found is not None
        return np.roll(found, 1, axis=0)

    monkeypatch.setattr(lstm_file, "gates_in", gates_in)
    again = trace(module, x, gradients=False)
    assert again.recovery_error < 1e-6
    np.testing.assert_allclose(again["lstm.0.forget_gate"], usual["lstm.0.forget_gate"], atol=1e-6)


def test_an_unknown_layout_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    usual: Any = kernel_gates.gates_in
    monkeypatch.setattr(kernel_gates, "gates_in", lambda *about: usual(*about)[:, ::-1])
    assert not kernel_gates._is_as_expected.__wrapped__(7)


def test_looking_for_kept_gates_leaves_the_random_numbers_alone() -> None:
    before = torch.get_rng_state()
    kernel_gates._is_as_expected.__wrapped__(9)
    assert torch.equal(torch.get_rng_state(), before)


def test_preactivations_are_of_the_weights_at_the_time_of_the_trace() -> None:
    module, x = network(1.0)
    name = "lstm.0.forget_gate.preactivation"
    expected, traced = trace(module, x, gradients=False)[name], trace(module, x, gradients=False)
    with torch.no_grad():
        for weight in module.parameters():
            weight.zero_()
        x.zero_()
    np.testing.assert_array_equal(traced[name], expected)
    assert traced[name] is traced[name]
    assert not traced[name].flags.writeable


def test_what_may_overflow_is_looked_at_before() -> None:
    module, x = network(1.0)
    x[7] = 3e38
    with torch.no_grad():
        module.get_parameter("weight_ih_l0").mul_(100)
    assert ("lstm.0.forget_gate.preactivation", 7) in trace(module, x, gradients=False).provenance.non_finite


def test_deferred_arrays_are_computed_once_and_only_when_asked_for() -> None:
    calls: list[int] = []

    def compute() -> Any:
        calls.append(1)
        return np.arange(12.0).reshape(2, 3, 2)

    whole = Once(compute)
    second = Deferred((3, 2), np.dtype(float), lambda: whole.part(1))
    arrays = Arrays({"ready": np.zeros((3, 2)), "later": second, "back": second.backwards()})
    assert list(arrays) == ["ready", "later", "back"]
    assert len(arrays) == 3
    assert "later" in arrays
    assert sum(part.nbytes for part in parts_of(arrays).values()) == 3 * 48
    assert not calls
    threads = [Thread(target=arrays.__getitem__, args=("later",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_array_equal(arrays["later"], [[6, 7], [8, 9], [10, 11]])
    np.testing.assert_array_equal(arrays["back"], arrays["later"][::-1])
    assert calls == [1]


def test_slopes_of_saturated_units_are_those_of_float64() -> None:
    """In float32 their exponentials would turn to zero: such stretches are computed in float64."""
    module, x = network(1.0)
    with torch.no_grad():
        bias = module.get_parameter("bias_ih_l0")
        bias[:20] += 95.0
        bias[40:60] += 60.0
    narrow, wide = trace(module, x), trace(module, x, dtype="float64")
    for gate in ("input_gate", "candidate", "output_gate"):
        name = f"norm.grad.lstm.0.{gate}.preactivation"
        assert (wide[name] > 0).all()
        np.testing.assert_allclose(narrow[name], wide[name], rtol=1e-3, err_msg=name)


def test_what_is_retained_is_of_the_cell_state_at_the_time_of_the_trace() -> None:
    class Given(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(3, 20)
            self.begin = torch.full((1, 1, 20), 0.5), torch.full((1, 1, 20), -2.0)

        def forward(self, x: Tensor) -> Tensor:
            output: Tensor = self.lstm(x, self.begin)[0]
            return output

    torch.manual_seed(2)
    module, x = Given(), torch.randn(12, 1, 3)
    traced = trace(module, x, gradients=False)
    with torch.no_grad():
        module.begin[1].zero_()
    f, c = traced["lstm.0.forget_gate"], traced["lstm.0.cell_state"]
    before = np.concatenate((np.full((1, 20), -2.0, np.float32), c[:-1]))
    np.testing.assert_array_equal(traced["lstm.0.retained"], f * before)
    np.testing.assert_array_equal(traced["lstm.0.admitted"], traced["lstm.0.input_gate"] * traced["lstm.0.candidate"])
    np.testing.assert_allclose(traced["lstm.0.retained"] + traced["lstm.0.admitted"], c, rtol=0, atol=1e-6)


def test_the_first_trace_loads_no_symbolic_mathematics() -> None:
    # PyTorch needs it for tensors on its meta device, and to load it takes longer than all the rest of a first trace.
    code = (
        "import sys, torch, lstm_studio; lstm_studio.trace(torch.nn.LSTM(2, 3), torch.ones(4, 2)); "
        "print('sympy' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert told.stdout.strip() == "False"


def test_steps_that_follow_nothing_are_joined_without_a_copy() -> None:
    none, some = np.empty((0, 2)), np.arange(6.0).reshape(3, 2)
    later = Deferred((3, 2), some.dtype, lambda: some)
    assert one_after_the_other([none, some]) is some
    assert one_after_the_other([none, later, none]) is later
    assert one_after_the_other([none, none]) is none
    apart = computed(one_after_the_other([some[:, ::2], none]))
    assert apart.flags.c_contiguous
    np.testing.assert_array_equal(apart, some[:, ::2])
    np.testing.assert_array_equal(computed(one_after_the_other([none, some, later])), np.concatenate([some, some]))

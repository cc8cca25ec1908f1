"""The page about a result: complete, escaped, and its numbers those of the traces."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lstm_studio.engine.trace import Trace
from lstm_studio.progress import ignore_progress
from lstm_studio.session.autosave import desks_folder
from lstm_studio.session.compute import Computer
from lstm_studio.session.report import MOST_STEPS, difference_words, report_page
from lstm_studio.session.state import Note, Remarks, Result, Setup, View
from tests.session.test_session import make_data


def computed() -> Result:
    return Computer().compute(Setup(make_data(), companion=None), ignore_progress)


def page_of(result: Result, remarks: Remarks | None = None) -> str:
    return report_page(
        result, View(cursor=1), remarks or Remarks(), picture=b"png", picture_words="A picture.", torch_version="9.9"
    )


def test_notes_of_the_sequence_are_in_it_and_nothing_is_taken_as_markup() -> None:
    notes = (Note(0, 1, "<script>alert(1)</script>"), Note(7, 0, "of another sequence"))
    page = page_of(computed(), Remarks(notes=notes))
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script" not in page
    assert "of another sequence" not in page


def test_networks_of_a_session_are_not_said_to_lie_where_they_are_unpacked() -> None:
    result = computed()
    folder = desks_folder() / "123-abc" / "networks" / "0123456789abcdef"
    own = page_of(replace(result, infos=(replace(result.infos[0], source="/home/me/best.pt"),)))
    kept = page_of(replace(result, infos=(replace(result.infos[0], source=str(folder / "lstm.safetensors")),)))
    assert "/home/me/best.pt" in own
    assert "lstm.safetensors, kept in the session" in kept
    assert "123-abc" not in kept


def test_every_unit_value_of_the_first_steps_is_listed() -> None:
    result = computed()
    page = page_of(result)
    trace = result.traces[0]
    for signal in trace.layers[0].signals:
        if "." not in signal.name:
            for value in trace[f"{trace.layers[0].prefix}.{signal.name}"][:MOST_STEPS, 0]:
                assert f"{value:.4g}" in page


def test_the_largest_difference_of_a_branch_is_found() -> None:
    trace = computed().traces[0]
    name = f"{trace.layers[0].prefix}.cell_state"
    changed = np.array(trace[name])
    changed[2, 1] += 0.5
    other = replace(trace, arrays={**trace.arrays, name: changed})
    assert difference_words((trace,), (other,)) == f"0.5 in {name}, unit 1, at step 3"
    assert difference_words((trace,), (trace,)) == "no difference"


def test_what_is_not_a_number_differs_in_nothing_that_can_be_said() -> None:
    trace = computed().traces[0]
    name = f"{trace.layers[0].prefix}.cell_state"
    lost = Trace({**trace.arrays, name: np.full_like(trace[name], np.nan)}, trace.layers)
    assert difference_words((trace,), (lost,)) == "no difference"

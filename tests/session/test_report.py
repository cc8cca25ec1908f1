"""The page about a result: complete, escaped, and its numbers those of the traces."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np

from lstm_studio.engine.trace import Trace
from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.progress import ignore_progress
from lstm_studio.resources import resources_folder
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


def test_networks_of_a_sample_are_not_said_to_lie_where_the_program_is_installed() -> None:
    result = computed()
    source = resources_folder() / "samples" / "temporal-order" / "lstm.safetensors"
    page = page_of(replace(result, infos=(replace(result.infos[0], source=str(source)),)))
    assert "lstm.safetensors, a sample of LSTM Studio" in page
    assert str(resources_folder()) not in page


def test_every_unit_value_of_the_first_steps_is_listed() -> None:
    result = computed()
    page = page_of(result)
    trace = result.traces[0]
    for signal in trace.layers[0].signals:
        if "." not in signal.name:
            for value in trace[f"{trace.layers[0].prefix}.{signal.name}"][:MOST_STEPS, 0]:
                assert f"{value:.4g}" in page


def test_settings_tell_the_size_that_the_companion_came_to() -> None:
    setup = Setup(make_data(), network=NetworkSpec(hidden_size=7), companion=NetworkSpec("rnn", hidden_size=3))
    page = html.unescape(page_of(Computer().compute(setup, ignore_progress)))
    settings = json.loads(page.partition("<pre>")[2].partition("</pre>")[0])
    assert (settings["network"]["hidden_size"], settings["companion"]["hidden_size"]) == (7, 7)
    assert (settings["network"]["kind"], settings["companion"]["kind"]) == ("lstm", "rnn")


def colours_of(rules: str) -> dict[str, str]:
    return dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", rules))


def luminance(colour: str) -> float:
    # WCAG 2.2, "relative luminance".
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


def test_the_page_is_readable_in_dark_and_light_and_prints_in_light() -> None:
    style = page_of(computed()).partition("<style>")[2].partition("</style>")[0]
    at_first, _, after = style.partition("@media (prefers-color-scheme: dark) {")
    dark, _, printed = after.partition("@media print {")
    light, in_dark, on_paper = colours_of(at_first), colours_of(dark), colours_of(printed)
    assert in_dark.keys() == light.keys()
    assert on_paper.items() <= light.items()
    assert {"page", "ink", "ink2", "sunken"} <= on_paper.keys()
    assert luminance(in_dark["page"]) < 0.05
    assert luminance(light["page"]) > 0.9
    for colours in (light, in_dark):
        for ink in ("ink", "ink2"):
            for ground in ("page", "sunken"):
                bright, dim = sorted((luminance(colours[ink]), luminance(colours[ground])), reverse=True)
                assert (bright + 0.05) / (dim + 0.05) >= 4.5, (ink, ground)
    # Nothing is cut off on paper, where nothing scrolls.
    assert "overflow: visible; max-height: none;" in printed


class Wide(HTMLParser):
    """Finds what is wider than a small screen, and what it lies in."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[dict[str, str | None]] = []
        self.tables: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "div":
            self.open.append(dict(attrs))
        elif tag == "table" and self.open:
            self.tables.append(self.open[-1])

    def handle_endtag(self, tag: str) -> None:
        if tag == "div":
            self.open.pop()


def test_wide_tables_scroll_by_themselves_and_by_the_keyboard() -> None:
    found = Wide()
    found.feed(page_of(computed()))
    reached = [box for box in found.tables if box.get("role") == "region"]
    # The networks, the gradient norms, and the signals of the network.
    assert len(reached) == 3
    for box in reached:
        assert box["tabindex"] == "0"
        assert box["aria-label"]
        assert "scroll" in str(box["class"]).split()


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

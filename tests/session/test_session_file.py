"""A session in a file: what is saved is what opens, anywhere; what is damaged is named, and the rest opens."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from lstm_studio.errors import StudioError
from lstm_studio.networks.cells import cells
from lstm_studio.networks.checkpoints import save_network
from lstm_studio.networks.network import new_network
from lstm_studio.networks.signals import Labels
from lstm_studio.networks.spec import NetworkSpec
from lstm_studio.progress import ignore_progress
from lstm_studio.sequences.scaling import scale
from lstm_studio.sequences.sequence import Scaling, SequenceSet
from lstm_studio.session.compute import Computer
from lstm_studio.session.samples import load_sample, sample_names
from lstm_studio.session.session import Session
from lstm_studio.session.session_file import (
    FORMAT,
    MIGRATIONS,
    SUFFIX,
    VERSION,
    Contents,
    SessionFileError,
    contents_of,
    read_session,
    write_session,
)
from lstm_studio.session.start import stored_result, stored_verdicts
from lstm_studio.session.state import (
    Branch,
    Comparison,
    Match,
    Note,
    Remarks,
    Result,
    Second,
    Setup,
    UnitOrder,
    View,
    branch_key,
)
from lstm_studio.session.wishes import LookingFor, Suggested, Wish
from tests.networks.test_onnx import exported
from tests.sequences.test_storage import assert_equal, everything
from tests.session.stored_sessions import computed, digests, walk

ROOT = Path(__file__).parents[2]
HIDDEN = "0:lstm.0.hidden_state"


def saved(session: Session, path: Path, layout: dict[str, Any] | None = None) -> Path:
    write_session(contents_of(session, layout), path)
    return path


def reopened(path: Path) -> Contents:
    return read_session(path, path.parent / "networks")


def shown(contents: Contents) -> Result:
    assert contents.result is not None, contents.problems
    return contents.result


def sample_session(name: str) -> Session:
    sample = load_sample(name)
    session = Session(stored_result(sample))
    verdicts = stored_verdicts(sample)
    if verdicts is not None:
        session.accept_verdicts(verdicts)
    return session


def without_places(setup: Setup) -> Setup:
    """Return a setup that can be compared: neither sequences nor the places of checkpoints, which differ."""

    def bare(spec: NetworkSpec | None) -> NetworkSpec | None:
        return None if spec is None else replace(spec, checkpoint=None)

    second = None if setup.second is None else replace(setup.second, network=bare(setup.second.network))
    network = bare(setup.network) or setup.network
    return replace(setup, network=network, companion=bare(setup.companion), second=second, data=_NOTHING)


_NOTHING = walk(1)


@pytest.mark.parametrize("name", sample_names())
def test_every_sample_comes_back_bit_for_bit(name: str, tmp_path: Path) -> None:
    session = sample_session(name)
    contents = reopened(saved(session, tmp_path / f"a{SUFFIX}"))
    assert contents.problems == ()
    assert contents.title == session.result.sequences.title
    assert_equal(contents.setup.data, session.setup.data)
    assert without_places(contents.setup) == without_places(session.setup)
    result = shown(contents)
    assert digests(result) == digests(session.result)
    assert [trace.layers for trace in result.traces] == [trace.layers for trace in session.result.traces]
    assert [trace.provenance for trace in result.traces] == [trace.provenance for trace in session.result.traces]
    assert [replace(info, source="") for info in result.infos] == [
        replace(info, source="") for info in session.result.infos
    ]
    if session.verdicts is not None:
        assert contents.verdicts is not None
        assert contents.verdicts.predictions == session.verdicts.predictions
        assert contents.verdicts.sequences is result.sequences


def every_setup(folder: Path) -> dict[str, Setup]:
    """One setup for each kind of network and checkpoint, and with everything that a setup can have."""
    data = walk()
    made: dict[str, Setup] = {}
    for kind in cells():
        path = folder / f"{kind}.safetensors"
        save_network(new_network(kind, 2, 5, outputs=3, seed=1), path)
        made[f"trained-{kind}"] = Setup(data, network=NetworkSpec(checkpoint=str(path)), companion=None)
        made[f"fresh-{kind}"] = Setup(data, network=NetworkSpec(kind, 4, seed=7), companion=NetworkSpec("rnn"))
    deep = nn.LSTM(2, 4, 2, bidirectional=True)
    torch.save(deep.state_dict(), folder / "deep.pt")
    made["pytorch"] = Setup(data, network=NetworkSpec(checkpoint=str(folder / "deep.pt")), companion=None)
    onnx.save(exported(nn.GRU(2, 3)), folder / "graph.onnx")
    made["onnx"] = Setup(data, network=NetworkSpec(checkpoint=str(folder / "graph.onnx")), companion=None)
    blocks = folder / "blocks.safetensors"
    save_network(new_network("lstm-1997", 2, 6, block_size=2), blocks)
    relu = folder / "relu.safetensors"
    save_network(new_network("rnn", 2, 6, nonlinearity="relu"), relu)
    made["options"] = Setup(
        data, network=NetworkSpec(checkpoint=str(blocks)), companion=NetworkSpec(checkpoint=str(relu))
    )
    made["everything"] = Setup(
        data,
        item=1,
        scaling=Scaling.STANDARD,
        piece_length=6,
        events=((1.5, -2.0), (0.1, 3.0)),
        network=NetworkSpec(checkpoint=str(blocks)),
        companion=NetworkSpec("gru"),
        match=Match.PARAMETERS,
        objective="hidden:2:1",
        memory=True,
        dtype="float64",
        second=Second(item=2, network=NetworkSpec(checkpoint=str(relu))),
    )
    made["what-if"] = Setup(
        data,
        network=NetworkSpec(seed=3, hidden_size=4),
        branches=(
            Branch("open", 2, clamp=(("lstm.0.forget_gate", ((0, 1.0), (1, 0.25))),)),
            Branch("off", 0, ablate=(("lstm.0", (2,)),)),
            Branch("other", 1, events=((1, ((0, 9.0),)),)),
        ),
    )
    return made


def test_on_another_machine_every_kind_shows_and_computes_the_same(tmp_path: Path) -> None:
    here, there, elsewhere = (tmp_path / name for name in ("here", "there", "elsewhere"))
    for folder in (here, there, elsewhere):
        folder.mkdir()
    expected = {}
    for name, setup in every_setup(here).items():
        session = computed(setup)
        saved(session, there / f"{name}{SUFFIX}")
        expected[name] = [
            digests(session.result),
            digests(session.result),
            [info.fingerprint for info in session.result.infos],
            [],
        ]
    assert len(expected) == 2 * len(cells()) + 5
    shutil.rmtree(here)
    # A sum over two threads is not to the last bit that of one, and other tests may have changed how many there are.
    threads = str(torch.get_num_threads())
    environment = {**os.environ, "HOME": str(elsewhere), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": threads}
    line = [sys.executable, "-m", "tests.session.stored_sessions", str(there)]
    done = subprocess.run(line, cwd=elsewhere, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == expected


@pytest.mark.parametrize("scaling", Scaling)
@pytest.mark.parametrize("piece_length", [None, 2])
def test_every_kind_of_sequence_comes_back(tmp_path: Path, scaling: Scaling, piece_length: int | None) -> None:
    data = scale(everything(), Scaling.NONE)
    setup = Setup(data, scaling=scaling, piece_length=piece_length, events=((1.0, 0.0),), companion=None)
    session = computed(setup)
    contents = reopened(saved(session, tmp_path / f"a{SUFFIX}"))
    assert_equal(contents.setup.data, data)
    assert_equal(shown(contents).sequences, session.result.sequences)
    one, other = shown(contents).sequence, session.result.sequence
    assert one.values.tobytes() == other.values.tobytes()
    assert contents.setup.events == setup.events


def test_view_notes_pins_and_layout_come_back(tmp_path: Path) -> None:
    session = computed(replace(every_setup(tmp_path)["what-if"], item=1))
    session.look(
        cursor=4,
        reveal_all=True,
        units=MappingProxyType({"0:lstm.0": 3}),
        plot_views=MappingProxyType({"forget": "lines"}),
        labels=Labels.CLASSROOM,
        speed=15.0,
        loop=True,
        order=UnitOrder.ACTIVITY,
        stretch=(1, 4),
        comparison=Comparison(branch_key("open")),
    )
    notes = (Note(0, 1, "one\ntwo"), Note(1, 4, "“ü”"))
    session.remark("Add notes", notes=notes, pinned=MappingProxyType({"0:lstm.0": (1, 3)}))
    wish = Wish(0.25, 2, Suggested.BOTH, (0,), (2, 3), (1,))
    similar = LookingFor(HIDDEN, True, MappingProxyType({HIDDEN: wish}))
    session.remark("Look for something", similar=similar)
    layout = {"panels": {"notes": {"shown": True, "width": 300}}}
    contents = reopened(saved(session, tmp_path / f"a{SUFFIX}", layout))
    assert contents.problems == ()
    assert contents.view == session.view
    assert contents.remarks == session.remarks
    assert contents.layout == layout
    again = Session(shown(contents), contents.view, contents.remarks)
    assert again.setup == replace(session.setup, data=again.setup.data)


def test_what_is_still_being_computed_is_saved_to_be_computed(tmp_path: Path) -> None:
    session = sample_session("temporal-order")
    session.change("Take the memory curves", memory=True)
    contents = reopened(saved(session, tmp_path / f"a{SUFFIX}"))
    assert contents.result is None
    assert contents.setup.memory
    assert contents.problems == ()
    result = Computer().compute(contents.setup, ignore_progress)
    assert any(name.startswith("jac.") for name in result.traces[0].names)


def test_the_weights_saved_are_those_that_were_traced(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    save_network(new_network("lstm", 2, 4, seed=1), path)
    session = computed(Setup(walk(), network=NetworkSpec(checkpoint=str(path)), companion=None))
    before = session.result.infos[0].fingerprint
    save_network(new_network("lstm", 2, 4, seed=2), path)
    contents = reopened(saved(session, tmp_path / f"a{SUFFIX}"))
    assert Computer().compute(contents.setup, ignore_progress).infos[0].fingerprint == before


def test_a_network_keeps_its_name_and_origin_through_sessions(tmp_path: Path) -> None:
    path = tmp_path / "my net.pt"
    torch.save(nn.LSTM(2, 3).state_dict(), path)
    session = computed(Setup(walk(), network=NetworkSpec(checkpoint=str(path)), companion=None))
    first = reopened(saved(session, tmp_path / f"a{SUFFIX}"))
    second = reopened(saved(Session(shown(first)), tmp_path / f"b{SUFFIX}"))
    for contents in (first, second):
        assert Path(str(contents.setup.network.checkpoint)).name == "my net.safetensors"
    with zipfile.ZipFile(tmp_path / f"b{SUFFIX}") as archive:
        assert str(path) in archive.read("networks/0.safetensors").decode("latin-1")


def test_opens_without_torch(tmp_path: Path) -> None:
    path = saved(sample_session("temporal-order"), tmp_path / f"a{SUFFIX}")
    code = (
        "import sys; from pathlib import Path; from lstm_studio.session.session_file import *; "
        f"c = read_session(Path({str(path)!r}), Path({str(tmp_path)!r})); "
        "print(c.result is not None, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == ["True", "False"]


# Other layouts.


def rewritten(path: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Path:
    """Change the description in a session, both copies of it."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    description = change(json.loads(parts["session.json"]))
    for name in ("session.json", "session-copy.json"):
        parts[name] = json.dumps(description).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    session = sample_session("dinner-menu")
    session.remark("Add a note", notes=(Note(0, 1, "here"),))
    return saved(session, tmp_path / f"sample{SUFFIX}")


def test_every_older_layout_has_a_way_to_this_one() -> None:
    assert set(MIGRATIONS) == set(range(VERSION))


def test_the_draft_of_the_layout_opens(sample: Path) -> None:
    def draft(description: dict[str, Any]) -> dict[str, Any]:
        remarks = description.pop("remarks")
        return {**description, "version": 0, "notes": remarks["notes"]}

    contents = reopened(rewritten(sample, draft))
    assert contents.problems == ()
    assert contents.remarks == Remarks((Note(0, 1, "here"),))
    assert contents.result is not None


def test_a_later_layout_is_refused_with_the_cure(sample: Path) -> None:
    with pytest.raises(SessionFileError, match=r"newer LSTM Studio: its layout is 7.*Update LSTM Studio") as caught:
        reopened(rewritten(sample, lambda description: {**description, "version": 7}))
    assert sample.name in str(caught.value)


def test_what_a_later_program_added_is_passed_over(sample: Path) -> None:
    def later(description: dict[str, Any]) -> dict[str, Any]:
        description["view"]["hologram"] = {"on": True}
        description["setup"]["quantum"] = 1
        return {**description, "extra": []}

    contents = reopened(rewritten(sample, later))
    assert contents.problems == ()
    assert contents.result is not None


@pytest.mark.parametrize("version", [None, "1", -1, 1.0, True])
def test_a_version_that_is_none_is_refused(sample: Path, version: object) -> None:
    with pytest.raises(SessionFileError, match="version"):
        reopened(rewritten(sample, lambda description: {**description, "version": version}))


def test_something_else_is_refused(tmp_path: Path) -> None:
    for name, content in (("empty", b""), ("text", b"hello"), ("zip", b"PK\x05\x06" + bytes(18))):
        path = tmp_path / f"{name}{SUFFIX}"
        path.write_bytes(content)
        with pytest.raises(SessionFileError, match=f"{name}{SUFFIX} is no session"):
            reopened(path)
    with pytest.raises(StudioError, match="does not exist"):
        reopened(tmp_path / f"missing{SUFFIX}")
    with pytest.raises(SessionFileError, match="is a folder"):
        read_session(tmp_path, tmp_path)


def test_a_session_without_its_mark_is_not_taken_for_one(sample: Path) -> None:
    def other(description: dict[str, Any]) -> dict[str, Any]:
        return {**description, "format": "something"}

    contents = reopened(rewritten(sample, other))
    assert "description is lost" in contents.problems[0]
    assert json.loads(zipfile.ZipFile(sample).read("session.json"))["format"] != FORMAT


# Parts that are lost.


def without(path: Path, *lost: str) -> Path:
    """Flip a byte in the content of some parts, and leave their checksums as they are."""
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            if any(info.filename.startswith(name) for name in lost):
                start = info.header_offset + 30 + len(info.filename)
                data[start + info.compress_size // 2] ^= 0xFF
    path.write_bytes(data)
    return path


def test_one_description_stands_in_for_the_other(sample: Path) -> None:
    for name in ("session.json", "session-copy.json"):
        copy = Path(shutil.copy(sample, sample.with_name(f"{name}{SUFFIX}")))
        contents = reopened(without(copy, name))
        assert contents.problems == (
            f"{copy.name}: Parts of the file were damaged, but all that it holds could be read.",
        )
        assert contents.result is not None
        assert contents.remarks.notes


def test_without_its_description_sequences_and_weights_open(sample: Path) -> None:
    contents = reopened(without(sample, "session"))
    assert "description is lost" in contents.problems[0]
    assert len(contents.setup.data) > 1
    result = Computer().compute(contents.setup, ignore_progress)
    assert result.infos[0].fingerprint == stored_result(load_sample("dinner-menu")).infos[0].fingerprint


def test_without_traces_it_is_computed_again(sample: Path) -> None:
    contents = reopened(without(sample, "traces/0"))
    assert contents.result is None
    assert "computed again" in contents.problems[0]
    result = Computer().compute(contents.setup, ignore_progress)
    assert result.infos[0].fingerprint == stored_result(load_sample("dinner-menu")).infos[0].fingerprint
    assert contents.remarks.notes


def test_without_weights_a_new_network_of_the_same_size_stands_in(sample: Path) -> None:
    contents = reopened(without(sample, "networks/0"))
    assert "weights of lstm are lost" in contents.problems[0]
    assert contents.setup.network == NetworkSpec("lstm", 8)
    assert contents.setup.companion is not None
    assert contents.setup.companion.checkpoint is not None
    assert contents.result is None
    Computer().compute(contents.setup, ignore_progress)


def test_without_sequences_the_traced_one_opens(sample: Path) -> None:
    contents = reopened(without(sample, "sequences"))
    traced = stored_result(load_sample("dinner-menu")).sequence
    assert "the one that was traced could be saved" in contents.problems[0]
    assert len(contents.setup.data) == 1
    assert contents.setup.data[0].values.tobytes() == traced.values.tobytes()
    result = Computer().compute(contents.setup, ignore_progress)
    assert result.infos[0].fingerprint == stored_result(load_sample("dinner-menu")).infos[0].fingerprint


def test_without_sequences_and_traces_nothing_opens(sample: Path) -> None:
    with pytest.raises(SessionFileError, match="are lost"):
        reopened(without(sample, "sequences", "traces"))


@pytest.mark.parametrize("kept", [0.999, 0.9, 0.5])
def test_a_file_that_was_cut_short_opens_as_far_as_it_goes(sample: Path, kept: float) -> None:
    data = sample.read_bytes()
    sample.write_bytes(data[: int(kept * len(data))])
    contents = reopened(sample)
    assert contents.problems
    assert contents.setup.network.checkpoint is not None


def test_traces_of_another_sequence_are_not_shown(sample: Path) -> None:
    def other(description: dict[str, Any]) -> dict[str, Any]:
        description["setup"]["item"] += 1
        return description

    contents = reopened(rewritten(sample, other))
    assert contents.result is None
    assert "computed again" in contents.problems[0]


# Writing.


def test_saving_twice_gives_the_same_parts(tmp_path: Path) -> None:
    session = sample_session("waves")
    paths = [saved(session, tmp_path / f"{name}{SUFFIX}") for name in "ab"]
    parts = []
    for path in paths:
        with zipfile.ZipFile(path) as archive:
            parts.append({name: archive.read(name) for name in archive.namelist() if "session" not in name})
    assert parts[0] == parts[1]


@pytest.mark.parametrize(
    ("number", "cure"), [(errno.ENOSPC, "Make room"), (errno.EROFS, "may write"), (errno.EACCES, "may write")]
)
def test_a_disk_that_does_not_take_it_leaves_the_old_file(
    sample: Path, monkeypatch: pytest.MonkeyPatch, number: int, cure: str
) -> None:
    before = sample.read_bytes()

    def full(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StudioError, match=cure) as caught:
        saved(sample_session("waves"), sample)
    assert os.strerror(number) in str(caught.value)
    assert sample.read_bytes() == before
    assert [path.name for path in sample.parent.iterdir()] == [sample.name]


def test_a_folder_that_is_not_there_and_a_wrong_name_are_refused(tmp_path: Path) -> None:
    session = sample_session("waves")
    with pytest.raises(StudioError, match="Choose a folder that exists"):
        saved(session, tmp_path / "no" / f"a{SUFFIX}")
    with pytest.raises(StudioError, match="does not end in \\.lstmstudio"):
        saved(session, tmp_path / "a.zip")
    (tmp_path / f"folder{SUFFIX}").mkdir()
    with pytest.raises(StudioError, match="could not be written"):
        saved(session, tmp_path / f"folder{SUFFIX}")


def test_weights_that_are_gone_before_they_were_traced_are_named(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    save_network(new_network("lstm", 2, 4), path)
    session = computed(Setup(walk(), companion=None))
    session.open_checkpoint(path)
    path.unlink()
    with pytest.raises(StudioError, match=r"net.safetensors cannot be read any more"):
        saved(session, tmp_path / f"a{SUFFIX}")


def test_large_one_hot_sets_shrink(tmp_path: Path) -> None:
    values = np.eye(50, dtype=np.float32)[np.random.default_rng(0).integers(0, 50, 20_000)]
    names = tuple(map(str, range(50)))
    data = SequenceSet((replace(walk(1, features=50)[0], values=values, raw=None, names=names),), title="text")
    session = computed(Setup(data, piece_length=100, network=NetworkSpec(hidden_size=2), companion=None))
    assert saved(session, tmp_path / f"a{SUFFIX}").stat().st_size < values.nbytes / 20


def test_the_view_of_a_damaged_file_is_brought_within_what_there_is(sample: Path) -> None:
    def damaged(description: dict[str, Any]) -> dict[str, Any]:
        description["view"] |= {"cursor": 10**9, "speed": -3, "units": {"0:lstm.0": 99, "9:x": 1}, "stretch": [5, 2]}
        description["view"] |= {"labels": "klingon", "comparison": {"other": "branch:none"}, "layer": -4}
        description["remarks"]["similar"] = {
            "signal": "moon",
            "wishes": {
                HIDDEN: {
                    "threshold": "nan",
                    "margin": 10**6,
                    "on": [3, 3, -1],
                    "off": [3, 2],
                    "any": [2],
                }
            },
        }
        description["remarks"]["notes"] += [
            {"item": 9999, "step": 0, "text": "x"},
            {"item": 0, "step": -1, "text": "x"},
        ]
        return description

    contents = reopened(rewritten(sample, damaged))
    result = shown(contents)
    assert contents.view == View(cursor=result.sequence.steps - 1, layer=0)
    assert contents.remarks.notes == (Note(0, 1, "here"),)
    assert contents.remarks.similar.wishes == {HIDDEN: Wish(margin=64, on=(3,), off=(2,))}
    assert "klingon" in contents.problems[0]


@pytest.mark.parametrize(
    ("layout", "kept", "words"),
    [
        (3, {}, ""),
        ({"window": 3}, {"window": {}}, "layout.window is 3"),
        (
            {"window": {"width": "wide", "height": 700, "maximised": True}},
            {"window": {"height": 700, "maximised": True}},
            "layout.window.width is 'wide', not a whole number",
        ),
        ({"window": {"width": 0, "height": 700}}, {"window": {"height": 700}}, "layout.window.width is 0"),
        ({"window": {"height": 10**7}}, {"window": {}}, "layout.window.height is 10000000"),
        ({"workspace": [], "panels": {"a": 1}}, {"panels": {"a": 1}}, "layout.workspace is no text"),
        ({"workspace": "train", "later": 1}, {"workspace": "train", "later": 1}, ""),
    ],
)
def test_what_a_layout_cannot_be_is_left_out_with_a_word(sample: Path, layout: Any, kept: Any, words: str) -> None:
    contents = reopened(rewritten(sample, lambda description: {**description, "layout": layout}))
    assert contents.layout == kept
    assert contents.problems == (f"sample{SUFFIX}: Damaged, and set to what is usual: {words}.",) * bool(words)
    assert contents.result is not None

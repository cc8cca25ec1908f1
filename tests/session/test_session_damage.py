"""Session files that were damaged, or made to do harm: each opens, or is refused with one message."""

from __future__ import annotations

import io
import json
import random
import struct
import time
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from lstm_studio.errors import StudioError
from lstm_studio.progress import ignore_progress
from lstm_studio.sequences.tensors import texts_of
from lstm_studio.session.archive import ArchiveError, read_parts, write_parts
from lstm_studio.session.compute import Computer
from lstm_studio.session.session_file import SUFFIX, Contents, contents_of, read_session, write_session
from lstm_studio.session.state import Branch, Note, Setup
from tests.session.stored_sessions import computed, walk


@cache
def good() -> bytes:
    """A small session with everything in it."""
    branch = Branch("off", 1, ablate=(("lstm.0", (0,)),))
    session = computed(Setup(walk(2, 4), events=((1.0, 2.0),), branches=(branch,)))
    session.remark("Add a note", notes=(Note(0, 1, "here"),))
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"good{SUFFIX}"
        write_session(contents_of(session), path)
        return path.read_bytes()


def opened(content: bytes) -> Contents | StudioError:
    """Open a file with this content; anything else than a message fails the test."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"a{SUFFIX}"
        path.write_bytes(content)
        try:
            contents = read_session(path, Path(folder) / "networks")
        except StudioError as error:
            refused = error
        else:
            check(contents)
            return contents
    assert path.name in str(refused)
    return refused


def check(contents: Contents) -> None:
    """What opened can be shown: it fits together."""
    setup, result = contents.setup, contents.result
    assert min(map(len, setup.data)) > 0
    if result is not None:
        assert result.setup is setup
        steps = result.sequence.steps
        assert all(len(array) == steps for trace in result.traces for array in trace.arrays.values())
        assert len(result.infos) == len(result.traces) == (1 if setup.companion is None else 2)
        assert len(result.branches) == len(setup.branches)
        assert 0 <= contents.view.cursor < steps
    assert all(problem.startswith(f"a{SUFFIX}") for problem in contents.problems)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_flipped_bytes_never_do_more_than_lose_a_part(data: st.DataObject) -> None:
    content = bytearray(good())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    opened(bytes(content))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_missing_doubled_and_foreign_bytes_never_do_more(data: st.DataObject) -> None:
    content = good()
    start = data.draw(st.integers(0, len(content)))
    stop = data.draw(st.integers(start, len(content)))
    between = data.draw(st.sampled_from([b"", content[start:stop] * 2, b"PK\x03\x04" * 9, bytes(50)]))
    opened(content[:start] + between + content[stop:])


def test_every_single_byte_of_the_table_of_contents_can_be_damaged() -> None:
    content = good()
    table = content.rindex(b"PK\x05\x06")
    for place in range(table - 60, len(content)):
        found = opened(content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :])
        # What stands before each part is enough to find all of them.
        assert isinstance(found, Contents)
        assert found.result is not None


def parts() -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(good())) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rebuilt(changed: dict[str, bytes | None]) -> bytes:
    """Return the session with other content, under right checksums: as somebody who means harm makes it."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in {**parts(), **changed}.items():
            if content is not None:
                archive.writestr(name, content)
    return file.getvalue()


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["", "nan", "x", "networks/0.safetensors", "../../etc/passwd", "0:lstm.0", -1, 0, 1, 2**40]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["", "lstm.0", "name"]), inner),
    max_leaves=5,
)


def places(plain: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every container and key in a description."""
    entries = plain.items() if isinstance(plain, dict) else enumerate(plain) if isinstance(plain, list) else ()
    for key, value in entries:
        yield plain, key
        yield from places(value)


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_no_description_does_harm(data: st.DataObject) -> None:
    description = json.loads(parts()["session.json"])
    for _ in range(data.draw(st.integers(1, 3))):
        choices = list(places(description))
        container, key = choices[data.draw(st.integers(0, len(choices) - 1))]
        container[key] = data.draw(VALUES)
    written = json.dumps(description).encode()
    opened(rebuilt({"session.json": written, "session-copy.json": written}))


@pytest.mark.parametrize(
    "description",
    [b"", b"[]", b"{}", b"null", b"[" * 100_000, b"\xff\xfe", b'{"format": "lstm-studio-session", "version": 1}'],
)
def test_a_description_that_is_none_costs_no_more_than_itself(description: bytes) -> None:
    found = opened(rebuilt({"session.json": description, "session-copy.json": description}))
    assert isinstance(found, Contents)
    Computer().compute(found.setup, ignore_progress)


@pytest.mark.parametrize("setup", [None, 7, [], "x", {}])
def test_a_setup_that_is_none_is_said_to_be_lost(setup: object) -> None:
    description = json.loads(parts()["session.json"])
    written = json.dumps({**description, "setup": setup}).encode()
    contents = opened(rebuilt({"session.json": written, "session-copy.json": written}))
    assert isinstance(contents, Contents)
    assert len(contents.problems) == 1
    assert "What was set up is lost" in contents.problems[0]
    assert contents.remarks.notes == (Note(0, 1, "here"),)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["sequences.safetensors", "traces/0.safetensors", "traces/1.safetensors"]), st.randoms())
def test_no_tensors_do_harm(name: str, chance: random.Random) -> None:
    content = bytearray(parts()[name])
    header = 8 + int.from_bytes(content[:8], "little")
    for _ in range(chance.randint(1, 4)):
        content[chance.randrange(header)] = chance.randrange(32, 127)
    opened(rebuilt({name: bytes(content)}))


def test_numbers_of_other_types_and_shapes_are_not_shown() -> None:
    for array in (
        np.zeros((5, 2), np.int8),
        np.zeros((5, 2), np.complex64),
        np.zeros((5, 0), np.float32),
        np.zeros((0, 2), np.float32),
        np.zeros((5, 2, 2), np.float32),
        np.full((4, 2), np.nan, np.float32),
    ):
        metadata = texts_of(parts()["sequences.safetensors"])
        found = opened(rebuilt({"sequences.safetensors": save({"0.values": array}, metadata)}))
        # The traces are of other values, so they are not shown beside these.
        assert isinstance(found, StudioError) or found.result is None


def test_paths_in_a_file_are_never_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.safetensors"
    secret.write_bytes(save({"weight_ih_l0": np.zeros((8, 2), np.float32)}))
    for path in (str(secret), "../secret.safetensors", r"\\server\share\x.safetensors", "networks/../../x"):
        description = json.loads(parts()["session.json"])
        description["setup"]["network"]["checkpoint"] = path
        written = json.dumps(description).encode()
        found = opened(rebuilt({"session.json": written, "session-copy.json": written}))
        assert isinstance(found, Contents)
        assert found.setup.network.checkpoint is None
        assert "are lost" in found.problems[0]


@pytest.mark.parametrize(
    "origin", ["../../../../evil.sh", "/etc/passwd", "..", "C:\\x\\y.pt", "a\0b.pt", "x" * 999, ""]
)
def test_weights_stay_in_their_folder_whatever_they_were_called(origin: str, tmp_path: Path) -> None:
    block = save({"weight": np.zeros(3, np.float32)}, {"lstm_studio.origin": origin})
    description = json.loads(parts()["session.json"])
    description["setup"]["network"]["checkpoint"] = "networks/0.safetensors"
    written = json.dumps(description).encode()
    path = tmp_path / f"a{SUFFIX}"
    path.write_bytes(rebuilt({"networks/0.safetensors": block, "session.json": written, "session-copy.json": written}))
    folder = tmp_path / "inside" / "networks"
    checkpoint = read_session(path, folder).setup.network.checkpoint
    assert checkpoint is not None
    assert Path(checkpoint).resolve().is_relative_to(folder.resolve())
    assert {found.name for found in tmp_path.iterdir()} == {path.name, "inside"}


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "C:\\evil", "networks/../../evil", "Ü", "x" * 200])
def test_members_with_tricky_names_are_left_where_they_are(name: str) -> None:
    file = io.BytesIO(good())
    with warnings.catch_warnings(), zipfile.ZipFile(file, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr(name, b"evil")
    found = opened(file.getvalue())
    assert isinstance(found, Contents)
    assert found.result is not None


# Archives made to fill the memory.


def test_a_bomb_is_refused_before_it_goes_off(tmp_path: Path) -> None:
    path = tmp_path / "bomb"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for index in range(5):
            archive.writestr(f"part{index}", bytes(4_000_000))
    assert path.stat().st_size < 50_000
    with pytest.raises(ArchiveError, match=r"declares 20\.0 MB of content, more than the 10\.0 MB"):
        read_parts(path, limit=10_000_000)
    assert len(read_parts(path).contents) == 5


def test_a_bomb_that_lies_about_its_size_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "bomb"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("part", bytes(50_000_000))
    data = path.read_bytes()
    size = struct.pack("<I", 50_000_000)
    assert data.count(size) == 2
    path.write_bytes(data.replace(size, struct.pack("<I", 100)))
    start = time.monotonic()
    assert read_parts(path, limit=1_000_000).contents == {}
    assert time.monotonic() - start < 2


def test_headers_within_headers_end_the_search_in_time(tmp_path: Path) -> None:
    # Each header claims all that follows it: reading every one to its end would take a day.
    header = struct.pack("<4s5H3I2H", b"PK\x03\x04", 20, 0, 0, 0, 0, 0, 4_000_000, 4_000_000, 1, 0) + b"a"
    path = tmp_path / "nested"
    path.write_bytes(header * 200_000)
    start = time.monotonic()
    assert read_parts(path, limit=10_000_000).contents == {}
    assert time.monotonic() - start < 5


@given(st.dictionaries(st.from_regex(r"[a-z][a-z0-9./_-]{0,20}", fullmatch=True), st.binary(max_size=200), max_size=6))
def test_parts_come_back_with_and_without_the_table_of_contents(contents: dict[str, bytes]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "parts"
        write_parts(path, contents.items())
        found = read_parts(path)
        assert found.contents == contents
        assert found.whole
        data = path.read_bytes()
        path.write_bytes(data[: data.rindex(b"PK\x05\x06")])
        assert read_parts(path).contents == contents


def test_a_part_is_packed_where_that_is_worth_it(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).bytes(100_000)
    write_parts(tmp_path / "parts", [("noise", noise), ("zeros", bytes(100_000))])
    with zipfile.ZipFile(tmp_path / "parts") as archive:
        assert archive.getinfo("noise").compress_type == zipfile.ZIP_STORED
        assert archive.getinfo("zeros").compress_size < 1_000
        assert zlib.crc32(noise) == archive.getinfo("noise").CRC

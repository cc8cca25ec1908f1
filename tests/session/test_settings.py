"""The settings file: round trip, faults that must not stop a start, and writing that never leaves half a file."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_studio.networks.signals import Labels
from lstm_studio.session.settings import (
    RECENT_FILES,
    LoadedSettings,
    Settings,
    SettingsError,
    load_settings,
    names_apart,
    save_settings,
    settings_file,
)

CHANGED = Settings(
    theme="dark",
    labels=Labels.CLASSROOM,
    font_scale=150,
    speed=8.0,
    loop=True,
    reveal_all=True,
    folder="/data",
    recent_sequences=("/data/a.csv", "/data/ü.csv"),
    recent_networks=("/data/net.pt",),
    geometry="01d9d0cb",
    layouts={"explore": "000000ff"},
)


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "a folder" / "settings.json"
    save_settings(CHANGED, path)
    assert load_settings(path) == LoadedSettings(CHANGED)
    assert [file.name for file in path.parent.iterdir()] == ["settings.json"]


def test_without_a_file_the_defaults_hold_and_nothing_is_wrong(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "settings.json") == LoadedSettings(Settings())


def test_the_file_is_in_the_users_own_folder(own_settings: Path) -> None:
    assert own_settings in settings_file().parents


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\xff\xfe garbage",
        b"{",
        b"[1, 2]",
        b"null",
        b'"text"',
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
    ],
)
def test_garbage_gives_defaults_and_one_problem(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(content)
    loaded = load_settings(path)
    assert loaded.settings == Settings()
    assert len(loaded.problems) == 1
    assert str(path) in loaded.problems[0]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("theme", "pink"),
        ("theme", 3),
        ("labels", "latin"),
        ("font_scale", 1000),
        ("font_scale", "150"),
        ("font_scale", True),
        ("speed", 0),
        ("speed", float("nan")),
        ("speed", [1]),
        ("loop", "yes"),
        ("loop", 1),
        ("reveal_all", None),
        ("folder", {}),
        ("folder", "a\0b"),
        ("recent_sequences", "a.csv"),
        ("recent_sequences", [1, 2]),
        ("recent_networks", {"a": 1}),
        ("geometry", "not hexadecimal"),
        ("layouts", 7),
        ("layouts", {"explore": "no"}),
    ],
)
def test_one_bad_key_costs_only_itself(tmp_path: Path, key: str, value: object) -> None:
    path = tmp_path / "settings.json"
    save_settings(CHANGED, path)
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), key: value}), "utf-8")
    loaded = load_settings(path)
    assert loaded.settings == replace(CHANGED, **{key: getattr(Settings(), key)})
    assert len(loaded.problems) == 1
    assert repr(key) in loaded.problems[0]


def test_keys_of_another_version_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"version": 99, "theme": "dark", "from the future": [1]}', "utf-8")
    assert load_settings(path) == LoadedSettings(Settings(theme="dark"))


def test_a_folder_in_the_files_place_stops_neither_start_nor_exit_silently(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.mkdir()
    loaded = load_settings(path)
    assert loaded.settings == Settings()
    assert len(loaded.problems) == 1
    with pytest.raises(SettingsError, match="cannot be written"):
        save_settings(CHANGED, path)
    assert [file.name for file in tmp_path.iterdir()] == ["settings.json"]


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", "utf-8")
    with pytest.raises(SettingsError, match=r"file.*settings\.json"):
        save_settings(CHANGED, tmp_path / "file" / "settings.json")


@pytest.mark.usefixtures("bound_by_permissions")
def test_a_read_only_folder_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    save_settings(CHANGED, path)
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(SettingsError):
            save_settings(Settings(), path)
        assert load_settings(path) == LoadedSettings(CHANGED)
    finally:
        tmp_path.chmod(0o700)


def test_a_write_that_fails_half_way_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "settings.json"
    save_settings(CHANGED, path)

    def full_disk(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(SettingsError, match="No space left"):
        save_settings(Settings(), path)
    assert load_settings(path) == LoadedSettings(CHANGED)
    assert [file.name for file in tmp_path.iterdir()] == ["settings.json"]


def test_recent_files_are_newest_first_without_repeats(tmp_path: Path) -> None:
    found = Settings()
    paths = [str(tmp_path / f"{index}.csv") for index in range(RECENT_FILES + 3)]
    for path in [*paths, paths[5]]:
        found = found.with_recent_sequence(path)
    assert found.recent_sequences[:3] == (paths[5], paths[-1], paths[-2])
    assert len(found.recent_sequences) == len(set(found.recent_sequences)) == RECENT_FILES
    assert found.folder == str(tmp_path)
    assert found.recent_networks == ()


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
JSON = SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(st.text(max_size=3), SCALARS, max_size=2)


@settings(max_examples=50, deadline=None)
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(Settings.__dataclass_fields__, JSON)))
def test_whatever_the_file_says_the_settings_can_be_saved_and_loaded_again(
    tmp_path_factory: pytest.TempPathFactory, found: dict[str, object]
) -> None:
    path = tmp_path_factory.mktemp("settings") / "settings.json"
    path.write_text(json.dumps(found), "utf-8")
    loaded = load_settings(path)
    save_settings(loaded.settings, path)
    assert load_settings(path) == LoadedSettings(loaded.settings)


def test_a_path_can_be_forgotten_and_so_can_all() -> None:
    found = Settings().with_recent_sequence("/a/x.csv").with_recent_sequence("/b/y.csv").with_recent_network("/c/n.pt")
    found = found.with_recent_session("/d/s.lstmstudio")
    less = found.without_recent(found.recent_sequences[1])
    assert less.recent_sequences == found.recent_sequences[:1]
    assert (less.recent_networks, less.recent_sessions) == (found.recent_networks, found.recent_sessions)
    none = found.without_any_recent()
    assert (none.recent_sequences, none.recent_networks, none.recent_sessions) == ((), (), ())
    assert none.folder == found.folder


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        ((), ()),
        (("/data/a.csv", "/data/b.csv"), ("a.csv", "b.csv")),
        (("/one/a.csv", "/two/a.csv", "/two/b.csv"), ("a.csv – one", "a.csv – two", "b.csv")),
        (("/x/one/a.csv", "/y/one/a.csv", "/y/two/a.csv"), ("a.csv – x/one", "a.csv – y/one", "a.csv – two")),
        (("/a.csv", "/one/a.csv"), ("a.csv – /", "a.csv – one")),
        (("/one/a.csv", "/one/a.csv"), ("a.csv – /one", "a.csv – /one")),
        (("/ä ö/文字.csv", "/ü/文字.csv"), ("文字.csv – ä ö", "文字.csv – ü")),
    ],
)
def test_names_are_told_apart_by_their_folders(paths: tuple[str, ...], names: tuple[str, ...]) -> None:
    assert names_apart(paths) == names

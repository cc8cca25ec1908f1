"""What the program remembers of its user from one start to the next: a small JSON file that can never stop a start."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from lstm_studio.errors import StudioError
from lstm_studio.networks.signals import Labels

VERSION = 1
"""Of the file's layout; raised when a key changes its meaning. Keys that are unknown or missing need no new version."""

RECENT_FILES = 10
FONT_SCALES = (80, 90, 100, 110, 125, 150, 175, 200)
SPEEDS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
THEMES = ("system", "light", "dark")
GATE_MAPS = ("cividis", "viridis", "gray")
_MOST_LAYOUTS = 20
MOST_FOLLOWED = 200
SIGNED_MAPS = ("blue-orange", "purple-green")


class SettingsError(StudioError):
    """The settings could not be written."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that outlives the window.

    Parameters
    ----------
    theme
        ``"system"``, ``"light"`` or ``"dark"``.
    labels
        The vocabulary.
    gate_map, signed_map
        Colours of what lies in 0…1 and around 0: one of :data:`GATE_MAPS` and of :data:`SIGNED_MAPS`.
    font_scale
        Percent of the system's font size, one of :data:`FONT_SCALES`.
    speed
        Steps per second when playing, 0.1 … 1,000.
    loop, reveal_all
        As in :class:`~lstm_studio.session.state.View`.
    less_motion
        Whether nothing is to move by itself, whatever the desktop says.
    hints_read
        Whether the hints for the first start need not be shown again.
    folder
        Where a file was opened last.
    recent_sequences, recent_networks, recent_sessions
        Paths, the newest first, at most :data:`RECENT_FILES`.
    geometry
        Of the window, in Qt's own encoding as hexadecimal digits; empty for the default.
    trainings
        Where trainings are kept; empty for the usual place.
    layouts
        Workspace → where its panels are, in the same encoding.
    followed
        Addresses of trainings, at most :data:`MOST_FOLLOWED`.
    thresholds
        When there are alarms, as :class:`~lstm_studio.session.alarms.Thresholds` reads it.
    """

    theme: str = "system"
    labels: Labels = Labels.STANDARD
    gate_map: str = GATE_MAPS[0]
    signed_map: str = SIGNED_MAPS[0]
    font_scale: int = 100
    speed: float = 4.0
    loop: bool = False
    reveal_all: bool = False
    less_motion: bool = False
    hints_read: bool = False
    folder: str = ""
    recent_sequences: tuple[str, ...] = ()
    recent_networks: tuple[str, ...] = ()
    recent_sessions: tuple[str, ...] = ()
    geometry: str = ""
    trainings: str = ""
    layouts: Mapping[str, str] = field(default_factory=dict)
    followed: tuple[str, ...] = ()
    thresholds: Mapping[str, float | None] = field(default_factory=dict)

    def with_recent_sequence(self, path: str | Path) -> Settings:
        """Return the settings with one more sequence file at the head of the recent ones."""
        return replace(self, recent_sequences=_recent(path, self.recent_sequences), folder=_folder_of(path))

    def with_recent_network(self, path: str | Path) -> Settings:
        """Return the settings with one more network file at the head of the recent ones."""
        return replace(self, recent_networks=_recent(path, self.recent_networks), folder=_folder_of(path))

    def with_recent_session(self, path: str | Path) -> Settings:
        """Return the settings with one more session file at the head of the recent ones."""
        return replace(self, recent_sessions=_recent(path, self.recent_sessions), folder=_folder_of(path))

    def without_recent(self, path: str) -> Settings:
        """Return the settings with one path less among the recent ones."""
        return self._with_recent(lambda recent: tuple(other for other in recent if other != path))

    def without_any_recent(self) -> Settings:
        """Return the settings without recent files."""
        return self._with_recent(lambda _: ())

    def _with_recent(self, change: Callable[[tuple[str, ...]], tuple[str, ...]]) -> Settings:
        return replace(
            self,
            recent_sequences=change(self.recent_sequences),
            recent_networks=change(self.recent_networks),
            recent_sessions=change(self.recent_sessions),
        )


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """Settings that were read, and what was wrong with the file, one sentence each."""

    settings: Settings
    problems: tuple[str, ...] = ()


def settings_file() -> Path:
    """Return the path of the user's settings file, which need not exist."""
    from platformdirs import user_config_path

    return user_config_path("lstm-studio", appauthor=False) / "settings.json"


def load_settings(path: Path) -> LoadedSettings:
    """Read the settings, keeping every key that is good and the default for the others.

    Nothing raises: a file that is missing, no file, unreadable, garbage, from a newer version or partly wrong gives
    defaults where it must, and says so in ``problems``.
    """
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return LoadedSettings(Settings())
    except OSError as error:
        return LoadedSettings(Settings(), (f"{path} cannot be read: {error.strerror or error}.",))
    try:
        found = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        return LoadedSettings(Settings(), (f"{path} is not JSON: {error}.",))
    if not isinstance(found, dict):
        return LoadedSettings(Settings(), (f"{path} holds no settings but a {type(found).__name__}.",))
    good: dict[str, Any] = {}
    problems = []
    for key, convert in _CONVERTERS.items():
        if key not in found:
            continue
        value = convert(found[key])
        if value is None:
            problems.append(f"{path}: {key!r} cannot be {_shortened(found[key])}; the default is used.")
        else:
            good[key] = value
    return LoadedSettings(Settings(**good), tuple(problems))


def save_settings(settings: Settings, path: Path) -> None:
    """Write the settings so that the file is whole at any time: beside it first, then in its place.

    Raises
    ------
    SettingsError
        If the folder or the file cannot be written; the old file is then untouched.
    """
    text = json.dumps({"version": VERSION, **asdict(settings)}, indent=2)
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                Path(temporary).unlink(missing_ok=True)
        raise SettingsError(
            f"The settings cannot be written to {path}: {error.strerror or error}.",
            "Make the folder writable; until then the program starts with the settings it had.",
        ) from error


def names_apart(paths: Sequence[str]) -> tuple[str, ...]:
    """Return the names of files, with as many of their folders as it takes to tell those of one name apart."""
    parts = [Path(path).parts for path in paths]
    depths = [1] * len(parts)
    for _ in range(max(map(len, parts), default=0)):
        shown = [own[-depth:] for own, depth in zip(parts, depths, strict=True)]
        alike = [place for place, own in enumerate(shown) if shown.count(own) > 1]
        for place in alike:
            depths[place] += 1
    return tuple(
        own[-1] if depth == 1 else f"{own[-1]} – {Path(*own[-depth:-1])}"
        for own, depth in zip(parts, depths, strict=True)
    )


def _recent(path: str | Path, before: tuple[str, ...]) -> tuple[str, ...]:
    new = str(Path(path).absolute())
    return (new, *(old for old in before if old != new))[:RECENT_FILES]


def _folder_of(path: str | Path) -> str:
    return str(Path(path).absolute().parent)


def _shortened(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:39]}…"


def _one_of(choices: tuple[Any, ...]) -> Callable[[object], Any]:
    def convert(value: object) -> Any:
        # True == 1, but no setting means that.
        return next((choice for choice in choices if choice == value and not isinstance(value, bool)), None)

    return convert


def _boolean(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and "\0" not in value else None


def _speed(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.1 <= value <= 1_000:
        return None
    return float(value)


def _paths(value: object) -> tuple[str, ...] | None:
    if not isinstance(value, list) or any(_text(path) is None for path in value):
        return None
    return tuple(value[:RECENT_FILES])


def _hexadecimal(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    try:
        bytes.fromhex(value)
    except ValueError:
        return None
    return value


def _layouts(value: object) -> dict[str, str] | None:
    if not isinstance(value, dict) or len(value) > _MOST_LAYOUTS:
        return None
    return None if any(_hexadecimal(layout) is None for layout in value.values()) else value


def _addresses(value: object) -> tuple[str, ...] | None:
    if not isinstance(value, list) or any(not _text(address) for address in value):
        return None
    return tuple(dict.fromkeys(value))[-MOST_FOLLOWED:]


def _thresholds(value: object) -> dict[str, float | None] | None:
    if not isinstance(value, dict) or len(value) > _MOST_LAYOUTS:
        return None
    usable = (
        number is None or (isinstance(number, int | float) and not isinstance(number, bool))
        for number in value.values()
    )
    return value if all(usable) else None


_CONVERTERS: Mapping[str, Callable[[object], Any]] = {
    "theme": _one_of(THEMES),
    "labels": _one_of(tuple(Labels)),
    "gate_map": _one_of(GATE_MAPS),
    "signed_map": _one_of(SIGNED_MAPS),
    "font_scale": _one_of(FONT_SCALES),
    "speed": _speed,
    "loop": _boolean,
    "reveal_all": _boolean,
    "less_motion": _boolean,
    "hints_read": _boolean,
    "folder": _text,
    "recent_sequences": _paths,
    "recent_networks": _paths,
    "recent_sessions": _paths,
    "geometry": _hexadecimal,
    "trainings": _text,
    "layouts": _layouts,
    "followed": _addresses,
    "thresholds": _thresholds,
}
assert _CONVERTERS.keys() == {field.name for field in fields(Settings)}  # noqa: S101 - a key without a check is a bug

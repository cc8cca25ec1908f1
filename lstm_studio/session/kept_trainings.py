"""Which trainings lie in a folder, to be shown again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from lstm_studio.progress import Progress
from lstm_studio.runs.format import LARGEST_JSON, RUN_FILE
from lstm_studio.session.question import Question, Tools
from lstm_studio.training.repeats import REPEATS_FILE

MOST_LISTED = 200


@dataclass(frozen=True, slots=True)
class KeptTraining:
    """One training on disk.

    Parameters
    ----------
    address
        The folder of its run, or of a comparison over several seeds.
    title
        Of what was learned.
    details
        Networks, seed and steps, in a few words.
    changed
        When its folder was last changed, seconds since 1970.
    """

    address: str
    title: str
    details: str
    changed: float


@dataclass(frozen=True, slots=True)
class ListTrainings(Question):
    """List the trainings of a folder, the newest first; answered with a tuple of :class:`KeptTraining`.

    Parameters
    ----------
    folder
        Which need not exist.
    """

    title: ClassVar[str] = "Looking for trainings"
    about_result: ClassVar[bool] = False

    folder: str

    def answer(self, tools: Tools, progress: Progress) -> tuple[KeptTraining, ...]:  # noqa: ARG002 - needs neither
        """Return what is there; what is no training of this program is passed over."""
        try:
            folders = [path for path in Path(self.folder).iterdir() if not path.is_symlink()]
        except OSError:
            return ()
        found = [kept for path in folders if (kept := _kept(path)) is not None]
        return tuple(sorted(found, key=_newest_first)[:MOST_LISTED])


def _newest_first(kept: KeptTraining) -> tuple[float, str]:
    return -kept.changed, kept.address


def _kept(folder: Path) -> KeptTraining | None:
    try:
        seeds: object = 0
        if (folder / REPEATS_FILE).is_file():
            said = _read(folder / REPEATS_FILE)
            recipe, seeds = _mapping(said.get("recipe")), said.get("seeds")
        elif (folder / RUN_FILE).is_file():
            recipe = _mapping(_mapping(_read(folder / RUN_FILE).get("training")).get("recipe"))
        else:
            return None
        if not recipe:
            return None
        changed = folder.stat().st_mtime
    except (OSError, ValueError, RecursionError):
        return None
    return KeptTraining(str(folder), _title(recipe), _details(recipe, seeds), changed)


def _read(path: Path) -> Mapping[str, Any]:
    with path.open("rb") as file:
        return _mapping(json.loads(file.read(LARGEST_JSON)))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _title(recipe: Mapping[str, Any]) -> str:
    from lstm_studio.tasks.registry import tasks

    name = str(recipe.get("task", ""))
    task = tasks().get(name)
    return task.title if task is not None else name or Path(str(recipe.get("sequence", ""))).name or "Training"


def _details(recipe: Mapping[str, Any], seeds: object) -> str:
    from lstm_studio.networks.cells import cells

    kinds = [str(recipe.get(key, "")) for key in ("kind", "companion") if recipe.get(key)]
    titles = [cells()[kind].title if kind in cells() else kind for kind in kinds]
    parts = [" and ".join(titles), f"{recipe.get('hidden', '?')} units"]
    parts.append(f"{seeds} seeds" if isinstance(seeds, int) and seeds > 1 else f"seed {recipe.get('seed', '?')}")
    updates = recipe.get("updates")
    if isinstance(updates, int):
        parts.append(f"{updates:,} steps")
    return " · ".join(parts)

"""Recording where little is installed: torch, NumPy, mcap and safetensors, as on a cluster."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import lstm_studio as ls

ROOT = Path(__file__).parents[2]
NEEDED = {"torch", "numpy", "mcap", "safetensors"}

SCRIPT = """
import sys
import torch
import lstm_studio as ls

for _ in range(2):
    torch.manual_seed(0)
    model = torch.nn.ModuleDict({"a": torch.nn.LSTM(3, 4, num_layers=2, dropout=0.5), "b": torch.nn.GRUCell(3, 4)})
    optimiser = torch.optim.Adam(model.parameters())
    with ls.watch(model, sys.argv[1], every=2, sequences=2, budget=0.5, segment="store") as run:
        for step in range(4):
            x = torch.randn(5, 2, 3)
            loss = model["a"](x)[0].pow(2).mean() + model["b"](x[0]).sum()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            run.step(loss=loss)
        run.log(score=1.0)
read = ls.open_run(sys.argv[1])
print(read.status, read.steps, read.trace(6)["a.1.forget_gate"].shape)
"""


def installed_by(requirements: list[Requirement]) -> set[str]:
    """Return the names of all distributions that come with these, on this machine."""
    found: set[str] = set()
    waiting = [(requirement, "") for requirement in requirements]
    while waiting:
        requirement, extra = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name in found or (requirement.marker and not requirement.marker.evaluate({"extra": extra})):
            continue
        found.add(name)
        waiting += [(Requirement(text), "") for text in distribution(name).requires or []]
    return found


@pytest.mark.skipif(sys.platform == "win32", reason="links ask for a privilege there")
def test_a_training_is_recorded_where_nothing_else_is_installed(tmp_path: Path) -> None:
    """In a folder of packages that has those, what they ask for, and this one."""
    packages = tmp_path / "packages"
    packages.mkdir()
    (packages / "lstm_studio").symlink_to(ROOT / "lstm_studio")
    needed = installed_by([Requirement(name) for name in NEEDED])
    assert not needed & {"pyside6-essentials", "duckdb", "soundfile", "typer", "rich", "psygnal", "platformdirs"}
    for name in needed:
        files = distribution(name).files or []
        for top in {file.parts[0] for file in files} - {"..", "__pycache__"}:
            (packages / top).symlink_to(Path(str(distribution(name).locate_file(top))))
    done = subprocess.run(
        [sys.executable, "-S", "-c", SCRIPT, str(tmp_path / "run")],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(packages)},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "finished [0, 2, 4, 6] (5, 4)\n"
    assert ls.open_run(tmp_path / "run").layers == ["a", "b"]


def test_the_guide_names_what_recording_needs() -> None:
    """With the versions that the project asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    asked = {Requirement(text).name: Requirement(text) for text in project["dependencies"]}
    line = "pip install " + " ".join(f'"{name}{asked[name].specifier}"' for name in sorted(NEEDED))
    guide = (ROOT / "docs" / "guide" / "runs.md").read_text("utf-8")
    assert line in guide
    assert "pip install --no-deps lstm-studio" in guide

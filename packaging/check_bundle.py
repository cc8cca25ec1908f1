"""Measure a built bundle and let it test itself: ``python packaging/check_bundle.py dist/lstm-studio``.

Beside its self-test it opens networks of other frameworks, which takes packages that nothing else asks for: what it
prints and saves of them must be what the source that it was built from says, and what their equations give.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from foreign_files import SAVERS, drawn, hidden_states

FEATURES, UNITS, STEPS = 3, 8, 40


def main(folder: Path) -> int:
    """Print the size of the bundle, run its self-test, open other frameworks' files; return 1 if anything failed."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    size = sum(path.stat().st_size for path in files)
    print(f"{folder}: {size / 1e6:,.0f} MB in {len(files):,} files", flush=True)
    program = (folder / ("lstm-studio.exe" if sys.platform == "win32" else "lstm-studio")).absolute()
    # Anywhere but in the checkout, whose files the program must not need.
    with TemporaryDirectory() as elsewhere:
        failed = subprocess.run([program, "self-test"], cwd=elsewhere, check=False).returncode != 0
        for wrong in foreign_networks(program, Path(elsewhere)):
            print(wrong, file=sys.stderr)
            failed = True
    return int(failed)


def foreign_networks(program: Path, folder: Path) -> list[str]:
    """Return what is wrong with what the program says of other frameworks' networks."""
    weights = drawn(FEATURES, UNITS)
    x = np.random.default_rng(1).normal(size=(STEPS, FEATURES)).astype(np.float32)
    np.savetxt(folder / "x.csv", x, "%.9g", delimiter=",", header="a,b,c", comments="")
    expected = hidden_states(weights, x)
    wrong = []
    for name, save in SAVERS.items():
        save(folder / name, weights)
        try:
            printed, arrays = traced([str(program)], folder, name)
            by_source, from_source = traced([sys.executable, "-m", "lstm_studio"], folder, name)
        except subprocess.CalledProcessError as error:
            wrong.append(f"{name}: {' '.join(error.cmd)} failed: {(error.stderr or error.stdout).strip()}")
            continue
        apart = float(np.abs(arrays["rnn.0.hidden_state"] - expected).max())
        found = []
        if printed != by_source:
            found.append(f"{name}: the program prints\n{printed}\nand the source\n{by_source}")
        if arrays.keys() != from_source.keys() or not all(
            np.allclose(array, from_source[key], rtol=1e-5, atol=1e-7) for key, array in arrays.items()
        ):
            found.append(f"{name}: the program saves other numbers than the source.")
        if not apart < 1e-6:
            found.append(f"{name}: the hidden states are {apart:.2g} away from the equations.")
        if not found:
            print(f"{name}: {len(arrays)} arrays as from the source, {apart:.1e} from the equations", flush=True)
        wrong += found
    return wrong


def traced(command: list[str], folder: Path, network: str) -> tuple[str, dict[str, np.ndarray]]:
    """Return what a trace of ``x.csv`` prints, and the arrays that it saves."""
    arguments = ["trace", "x.csv", "--network", network, "--objective", "last-hidden", "--out", "trace.npz"]
    (folder / "trace.npz").unlink(missing_ok=True)
    told = subprocess.run([*command, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    with np.load(folder / "trace.npz") as archive:
        return told.stdout, {name: archive[name] for name in archive.files if name != "lstm_studio"}


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

"""The lines that make a training appear here, ready to be copied into any script."""

from __future__ import annotations

LINES = """import lstm_studio as ls
run = ls.watch(model, "runs/mine")   # before the loop
run.step(loss=loss)                  # in the loop, after optimiser.step()"""
"""They need a ``model`` with a recurrent layer and a ``loss``, and nothing has to be indented differently."""


def narrow() -> str:
    """Return the lines with each comment above what it is about: half as wide, and they work as well."""
    parts = [[part.strip() for part in line.split("#")] for line in LINES.splitlines()]
    return "\n".join(f"# {comment[0]}:\n{code}" if comment else code for code, *comment in parts)

"""The lines that make a training appear here, ready to be copied into any script."""

from __future__ import annotations

LINES = """import lstm_studio as ls
run = ls.watch(model, "runs/mine")   # before the loop
run.step(loss=loss)                  # in the loop, after optimiser.step()"""
"""They need a ``model`` with a recurrent layer and a ``loss``, and nothing has to be indented differently."""

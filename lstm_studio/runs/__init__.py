"""Runs: recording what a training does, reading it back, following it while it grows.

Only ``recorder`` and ``sampling`` import torch.
"""

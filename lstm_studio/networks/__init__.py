"""The cells as PyTorch modules, one file each; what they declare about their signals; reading checkpoints.

Importing this package does not import torch; importing a cell or ``checkpoints`` does.
"""

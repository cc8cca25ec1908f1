"""From a network and a sequence to a trace: recovering gates, gradients, objectives.

Importing this package does not import torch; ``trace`` (the data) and ``objectives`` are free of it.
"""

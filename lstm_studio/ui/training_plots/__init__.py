"""Plots over the steps of a training: curves, gradients by lag, the bar below them. Train and Monitor share them."""

"""Plots over the steps of a sequence, and what the plots of all workspaces are drawn with."""

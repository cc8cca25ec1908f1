"""The live cell: the diagram that each kind describes, with the traced values of one step on its wires."""

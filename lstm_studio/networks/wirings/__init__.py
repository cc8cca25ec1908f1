"""How the kinds of layer are drawn: what several of them have in common stands here once."""

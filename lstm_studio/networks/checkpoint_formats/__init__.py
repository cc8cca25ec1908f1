"""Files that other frameworks write, one reader each: their weights, renamed and reordered as PyTorch has them."""

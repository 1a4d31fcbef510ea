"""Label maps: palettes, files, and the conditioning tensors made of them."""

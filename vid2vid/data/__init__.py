"""Clips to train on: found, paired, cut, varied, batched."""

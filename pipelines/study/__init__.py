"""Blind pairwise comparison of two systems by people, on one self-contained page."""

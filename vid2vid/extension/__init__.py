"""Grow a picture beyond its borders, with whatever canvases a network was trained for."""

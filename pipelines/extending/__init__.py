"""Extend pictures and videos beyond their borders, and join two pictures: files in, files out."""

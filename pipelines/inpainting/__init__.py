"""Fill holes in pictures and videos, and fit pasted objects in: files in, files out."""

"""Fill holes in a video, and widen one: files in, a file out."""

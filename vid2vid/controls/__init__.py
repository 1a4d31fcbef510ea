"""What a video is painted from beside label maps: found in photographs, read, or drawn."""

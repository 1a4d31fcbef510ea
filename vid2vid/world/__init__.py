"""A procedural street whose every pixel is explained: frames and all that is true of them.

World coordinates are metres: x to the right of the first heading, y down, z ahead; the ground is
the plane y = 0. Camera coordinates are x right, y down, z ahead.
"""

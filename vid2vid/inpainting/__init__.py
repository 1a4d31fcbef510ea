"""Fill holes in pictures: what they hold, the texture of their surroundings, and no seam."""

"""Find the styles of a data set, and show them."""

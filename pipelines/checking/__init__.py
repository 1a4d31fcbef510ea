"""Walk a data set and name everything that is wrong with it, before a training stumbles on it."""

"""Train a run from the beginning, or go on with one."""

"""Turn raw video into a data set that the next command can train on."""

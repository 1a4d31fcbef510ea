"""How good a generated video is: measured beside controls, with intervals, in one report."""

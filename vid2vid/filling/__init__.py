"""Fill what is unknown of a video: carry what other frames show, invent what none does."""

"""What an official checkpoint becomes here: its configuration, and which tensors go where."""

"""The configuration of a run: sections, checks, files, schema."""

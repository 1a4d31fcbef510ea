"""The parts of the rendering chain; `pipelines.render` puts them together."""

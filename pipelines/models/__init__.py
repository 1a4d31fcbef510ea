"""Say what a model consists of; read and write those of others."""

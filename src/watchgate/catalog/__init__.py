"""Finding things: a projection of the recordings, and the configuration."""

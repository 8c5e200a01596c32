"""Reading what passes a terminal."""

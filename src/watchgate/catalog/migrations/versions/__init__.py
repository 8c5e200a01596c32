"""One file per version, numbered in their order."""

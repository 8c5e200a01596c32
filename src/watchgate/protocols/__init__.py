"""The protocols that operators speak; every folder has the same file names."""

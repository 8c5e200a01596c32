"""The recording format and only it: frames, chain, keys, seal, verification, and export."""

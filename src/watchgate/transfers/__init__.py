"""Manifests of moved files, read off the protocols that move them."""

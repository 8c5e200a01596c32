"""Watchgate: a gateway for privileged sessions."""

__version__ = "0.1.0"

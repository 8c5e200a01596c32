"""Benchmarks: Watchgate beside the ways in that it replaces, one command each."""

"""Operators, targets and grants as files: apply, export, import."""

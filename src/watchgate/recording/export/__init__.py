"""Recordings as other tools' formats."""

"""Tests of the command; a package, so that its helpers have names of their own."""

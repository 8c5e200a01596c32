"""Tests of what leaves for SIEMs; a package, so that its receivers can be used by others."""

"""What must hold for the tree as a whole; a package, so that its helpers have names of their own."""

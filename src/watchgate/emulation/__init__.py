"""Terminal emulators in a process of their own: what a target prints is emulated beside the gateway, not in it."""

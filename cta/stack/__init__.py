"""One file a service of the stack: configure, wait, apply, status, reset."""

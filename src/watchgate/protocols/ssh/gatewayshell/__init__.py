"""A shell whose line editor runs in the gateway: the target is only given commands that are permitted."""

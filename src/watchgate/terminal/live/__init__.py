"""Reading an operator's line while it is typed: off the screen and from the keys, before its Enter is passed on.

Plain code: octets, keys and times in, readings out. Who holds the keys back is somewhere else.
"""

"""What is known of programs: their flags, which arguments are paths, what they run.

Written from their manual pages; `flags.py` says how a row of flags reads. A program that is not here is
read all the same, its flags as they are written.
"""

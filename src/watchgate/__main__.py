"""`python -m watchgate` is the `watchgate` command."""

from watchgate.cli import main

if __name__ == "__main__":
    main()

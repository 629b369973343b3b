"""`python -m taskworlds`: the same as the command `taskworlds`."""

from taskworlds.cli import main

if __name__ == "__main__":
    main()

"""`python3 -m ibga`, the same as `ibga`."""

from ibga.cli import main

if __name__ == "__main__":
    main()

"""Run the command line as `python -m foresaid`."""

from foresaid.cli import main

if __name__ == "__main__":
    main()

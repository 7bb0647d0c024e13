"""Run the command line as `python -m foresaid`."""

from foresaid.cli.main import main

if __name__ == "__main__":
    main(prog_name="foresaid")

"""`python -m sendwatch` is the command `sendwatch`."""

import sys

from sendwatch.cli import main

if __name__ == "__main__":
    sys.exit(main())

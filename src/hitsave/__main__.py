"""`python -m hitsave`: the same program as the `hitsave` script."""

import sys

from hitsave.cli import main

if __name__ == "__main__":
    sys.exit(main())

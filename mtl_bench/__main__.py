"""`python -m mtl_bench`, the same as `mtl-bench`."""

import sys

from mtl_bench.cli import main

if __name__ == "__main__":
    sys.exit(main())

"""The command line as ``python -m mlxc.cli``."""

import sys

from mlxc.cli import main

sys.exit(main())

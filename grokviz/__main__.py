"""``python -m grokviz``."""

import os
import sys

# -m puts the current folder first, from which nothing but grokviz itself may be imported;
# pathlib would already be looked for there
_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
if not sys.flags.safe_path and sys.path[0] == os.getcwd() != _ROOT:  # noqa: PTH109
    del sys.path[0]

from grokviz.cli import main  # noqa: E402

if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""The commands of this bank: demo (the default), test, manage and bench. `python3 run.py --help` lists them.

Needs Python 3.11 or later and nothing else; what it does lives in `runner/`, standard library only.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 -- an older Python must get a sentence, not a traceback
    sys.exit("run.py: Python 3.11 or later is needed; this is " + sys.version.split()[0] + ".")

from runner.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

#!/usr/bin/env python3
"""Django's command line. `python3 run.py manage ...` calls it with everything it needs in place."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bankportal.settings")
    execute_from_command_line(sys.argv)

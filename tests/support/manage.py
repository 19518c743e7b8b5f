"""Django's own commands under the settings of the tests: `python -m tests.support.manage check`."""

import sys

from django.core.management import execute_from_command_line

import tests.support.environment  # noqa: F401  (sets what the settings read)

if __name__ == "__main__":
    execute_from_command_line(sys.argv)

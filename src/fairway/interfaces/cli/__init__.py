"""The command line. Tables for people, `--json` for programs; errors on standard error, in the API's words.

Exit codes: 0 done or allowed, 1 failed, 2 wrong usage, 3 denied.
"""

from fairway.interfaces.cli.main import main as main

"""`python -m fazhi`: the command line."""

from fazhi.cli import main

main()

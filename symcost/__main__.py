"""`python -m symcost` is the command line."""

from symcost.cli import main

main()

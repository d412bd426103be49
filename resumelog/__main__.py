"""python -m resumelog."""

from resumelog.infrastructure.cli import main

main(prog_name="resumelog")

"""`python -m streams.cli`: how a process of Edgewise starts another one."""

from streams.cli.main import main

main()

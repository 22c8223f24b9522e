"""`python -m dubcast`: how the supervisors start the roles."""

from dubcast.cli.main import main

main()

"""`python -m dubcast`: how the supervisors start the roles.

There is a forwarder for each destination: it loads no command but its own.
"""

import sys

if sys.argv[1:2] in (["egress"], ["passthrough"]):
    from dubcast.cli.egress import main
else:
    from dubcast.cli.main import main

main()

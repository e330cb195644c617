"""`python -m gvm_server` is the `gvm` command."""

import sys

from gvm_server.cli.main import main

sys.exit(main())

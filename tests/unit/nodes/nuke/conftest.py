"""Nuke's own module stands before the node's are loaded, whichever file comes first."""

import tests.support.nuke_session  # noqa: F401

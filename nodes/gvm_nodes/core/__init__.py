"""What all hosts share: the node model, its settings, job tracking and the way to the server."""

"""From plate frames to alphas: engines, and the pipeline around them; no sockets, no messages."""

"""Where finished alphas go: files, memory, PNGs and movies."""

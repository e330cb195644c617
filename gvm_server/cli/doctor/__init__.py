"""`gvm doctor`: what is looked at, and how each thing is mended."""

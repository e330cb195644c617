"""Nodes and scripts for compositing hosts; each host's folder is loaded in that host only."""

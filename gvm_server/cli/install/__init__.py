"""Installs the nodes into hosts, and takes them out."""

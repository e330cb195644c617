"""Talks: sockets, jobs, and whose turn it is."""

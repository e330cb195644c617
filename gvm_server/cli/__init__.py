"""The command line: it speaks to a person."""

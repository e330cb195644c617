"""Movies as plates: the n-th picture that a decoder shows."""

"""Edges at the plate's size: what the model's alpha says of them, and the plate's pixels show."""

"""How far a matte is from the truth, by the field's own definitions."""

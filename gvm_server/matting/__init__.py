"""Thinks: from plate frames to alphas."""

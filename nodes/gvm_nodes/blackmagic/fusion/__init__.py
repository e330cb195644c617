"""Fusion, and Resolve's Fusion page: the OpenFX tool, or a Loader of finished alphas."""

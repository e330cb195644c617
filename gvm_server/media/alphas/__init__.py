"""Alpha files: EXR, PNG, and the stamp that proves them."""

"""GVM in Natron: a group for Reads, whose mattes a render makes before it needs them."""

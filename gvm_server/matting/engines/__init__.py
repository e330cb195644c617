"""The engines, what each must do, and the one table of them."""

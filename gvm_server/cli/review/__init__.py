"""`gvm qc`, `gvm sheet` and `gvm report`: what a supervisor looks at, from finished mattes."""

"""What is kept for later: finished alphas, windows, facts about files."""

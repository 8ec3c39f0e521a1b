"""What a run shows: its progress in the terminal, its result files, and the report made of them."""

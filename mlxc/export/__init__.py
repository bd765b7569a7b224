"""What a person takes away from a run: files that other programs read, and texts that reproduce it."""

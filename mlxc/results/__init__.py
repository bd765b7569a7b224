"""What a calculation leaves behind in files."""

"""The same crystal here and in other codes, side by side."""

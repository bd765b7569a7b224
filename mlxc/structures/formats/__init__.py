"""The formats of files that crystals are read from, a module each."""

"""Small things that serve several packages: files, names, threads, plugins."""

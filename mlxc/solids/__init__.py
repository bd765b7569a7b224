"""Solids and what is known of them: tables."""

"""Runs that live in a process and a folder of their own."""

"""Words on a terminal: options, progress and reports."""

"""One serialisable description of a run, shared by the command line, the page, sweeps and saved results."""

"""Runs of a page that the workers of a Dask cluster compute, while a process of the page's machine looks after them."""

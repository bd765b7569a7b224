"""Files that hold pseudopotentials: their formats, and how a folder of them is searched."""

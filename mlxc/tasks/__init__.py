"""What can be computed of a crystal: a folder for each kind of task."""

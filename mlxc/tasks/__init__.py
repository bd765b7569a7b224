"""What a run can compute: a folder for each kind of task."""

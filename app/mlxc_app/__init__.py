"""The dashboard of mlxc: each panel is a model (traitlets, no widgets) and a view which only observes it."""

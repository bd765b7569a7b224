"""Reference values from other codes and from experiment."""

"""Where crystals come from: those shipped, files, and databases that speak OPTIMADE."""

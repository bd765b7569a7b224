"""Where an SCF starts: from free atoms, from similar crystals, or a second time."""

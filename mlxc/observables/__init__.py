"""What is measured, predicted and learned: observables, each once, with its name, its unit and how it is evaluated."""

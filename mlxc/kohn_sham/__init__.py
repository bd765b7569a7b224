"""The Kohn-Sham problem, the self-consistent field that solves it, and the states that come out."""

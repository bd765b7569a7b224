"""Why a calculation disagrees: a battery of tests, each of which changes one thing, and a verdict."""

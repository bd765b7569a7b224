"""The functional LAK: exchange, correlation, and what they share."""

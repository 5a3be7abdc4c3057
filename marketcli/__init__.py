"""Public crypto market data: complete, or it says what is missing."""

__version__ = "0.1.0"

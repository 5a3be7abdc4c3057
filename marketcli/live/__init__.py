"""The engines of live data: connections that come back, and say what they missed."""

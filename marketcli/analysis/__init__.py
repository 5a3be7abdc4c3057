"""What follows from rows that have come: plain arithmetic, no I/O, no exchange."""

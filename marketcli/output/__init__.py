"""Drawing for people, exact text and files for programs."""

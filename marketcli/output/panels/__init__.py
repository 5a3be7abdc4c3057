"""What a watch shows on a terminal: a class per view that takes events in and draws what they come to."""

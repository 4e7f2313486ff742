"""The question loop, from the model's socket to the person and back."""

"""What the lifecycle holds under load; each module prints one JSON line."""

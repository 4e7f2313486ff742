"""The dashboard among a million tasks: its queries, its page, and its changes on their way."""

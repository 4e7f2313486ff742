"""The bridge against a bare relay: latency, CPU, memory, barge-in and hang-up on one core."""

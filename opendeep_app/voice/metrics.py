"""What the gateway counts, for Prometheus."""

from prometheus_client import Counter, Gauge

LIVE_CALLS = Gauge("opendeep_live_calls", "Calls that this process holds")
CALLS = Counter(
    "opendeep_calls", "Calls that this process has held, by who ended them", ["ended_by"]
)
BARGE_INS = Counter("opendeep_barge_ins", "Times that a recipient broke in on the agent")
FRAMES = Counter("opendeep_frames", "Media frames by fate, where it is not to be relayed", ["fate"])
QUESTIONS = Counter("opendeep_questions", "Questions to creators by how they ended", ["end"])
FUNCTIONS = Counter("opendeep_functions", "Functions called by the model", ["name", "ok"])
FORGED = Counter("opendeep_forged_requests", "Requests whose signature is not the carrier's")

"""The practice line: a phone network, its people and a voice model, on loopback.

It speaks Twilio's and OpenAI's wire protocols, so that the real client libraries and the
production path run with no account. The agent and the people it calls hear each other only
as audio that travels through the product; there is no side channel between them.
"""

"""Where records begin and end in JSON text: tokens, separators, envelopes, and the way on after a damage."""

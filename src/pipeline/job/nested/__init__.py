"""Jobs that explode nested JSON: their options, and the steps of such a run around `transforms.nested`."""

"""Jobs that split packed columns: their options, and the steps of such a run around `transforms.packed`."""

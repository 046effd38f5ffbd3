"""The arrivals function: it notes files of the source bucket and starts a job's run when its set is complete."""

"""What runs without Spark: the read API, the arrivals function, the car park lookup, and saving live availability."""

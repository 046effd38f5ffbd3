"""Published tables in the Glue Data Catalog, where Athena finds them."""

"""Jobs that make tables: formats, Iceberg and Glue catalogs, and schema files that later runs are held to."""

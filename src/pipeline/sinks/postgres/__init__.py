"""A frame loaded into a PostgreSQL table: COPY into a staging table by the tasks, then one merge."""

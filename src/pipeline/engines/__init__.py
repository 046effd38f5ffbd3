"""The engine that runs a job: its session and settings, cached frames, tasks that make rows, parallel steps."""

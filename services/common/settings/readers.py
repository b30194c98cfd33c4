"""The programs that read settings, by name: services of compose.yaml, and what a person starts."""

GATEWAY = ("gateway",)
# Each stage of the registry.
WORKERS = ("workers",)
LONG_RUNNING = (*GATEWAY, *WORKERS)
# Programs that come and go: the schema, the bucket for a backup, a model from the trainer.
DATABASE_USERS = (*LONG_RUNNING, "migrate")
STORE_USERS = (*LONG_RUNNING, "archive", "publish")

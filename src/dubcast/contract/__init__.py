"""The wire contract: pydantic models shared by all roles, no I/O."""

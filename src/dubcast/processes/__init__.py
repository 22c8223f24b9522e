"""Processes: known again after their parent's end, ended by one ladder, kept alive by one
supervisor, never left behind."""

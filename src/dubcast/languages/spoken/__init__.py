"""One file a language, each with its `LANGUAGE`. Nothing else is needed to add one."""

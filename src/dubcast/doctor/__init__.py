"""What `dubcast doctor` finds: a plain report, and thin probes of the machine beside it."""

"""How well speech is understood, translated and said: figures of the speech service alone."""

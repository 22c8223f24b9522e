"""What is known of languages: data, one file a language in `spoken`. No engine is known here."""

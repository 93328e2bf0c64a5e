"""The push API: what other systems write by themselves. Errors are JSON, in English, under codes that never change."""

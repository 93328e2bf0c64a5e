"""Password hashing."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2Hasher(Argon2PasswordHasher):
    """Argon2id at OWASP's floor (19 MiB, 2 passes, 1 lane): Django's default of 100 MiB lets 20 sign-ins take 2 GiB."""

    time_cost = 2
    memory_cost = 19_456
    parallelism = 1

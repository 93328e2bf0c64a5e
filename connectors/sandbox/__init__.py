"""A stand-in of outside services over real HTTP: one seedable world on a controllable clock, and faults on demand."""

# The commands of the house. `make` alone lists them.

"""A stand-in of Productboard: its board, its wire, and the life that goes on on it."""

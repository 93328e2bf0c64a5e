"""A stand-in of Jira Cloud: the same company and the same work as Linear's, as Jira would show them."""

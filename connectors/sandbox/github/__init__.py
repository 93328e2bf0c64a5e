"""A stand-in of GitHub's REST API: repositories with pull requests, releases and deployments."""

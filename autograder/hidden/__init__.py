"""Hidden tests, one folder per problem set. Never part of anything that students receive."""

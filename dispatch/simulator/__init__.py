"""A city without a database: for judging policies and for tests that take microseconds."""

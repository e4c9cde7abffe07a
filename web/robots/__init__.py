"""Robots that play citizens, dispatchers and crews through the public doors, like anybody else."""

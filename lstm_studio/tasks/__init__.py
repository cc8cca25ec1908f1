"""The teaching tasks: seeded generators with their chance line and their own test for solved."""

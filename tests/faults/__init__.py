"""Faults of the provider, of the network and of our own processes, and what must hold after them.

`make faults` runs the long mode; FAULTS_SEED=… repeats what a seed did.
"""

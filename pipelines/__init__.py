"""What people run: training, rendering, and the command line in front of them."""

import os

# Threads of OpenMP that wait for one another spin unless they are told to sleep. Where anything
# else wants a core, the encoder of our own chain or another program, a rendering on two busy cores
# fell from 7.7 to 0.2 frames a second. It has to be said before torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

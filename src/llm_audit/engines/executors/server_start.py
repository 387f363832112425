"""The start and the end of the server that processes are forked from, which loads this module first."""

import atexit
import gc
import os

gc.disable()  # what it loads stays; the processes enable it again
# What is registered first is done last. The interpreter is not taken apart, which would take a quarter of a second.
atexit.register(os._exit, 0)

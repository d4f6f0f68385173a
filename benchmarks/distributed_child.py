"""The child of a job in float32, whatever the machine multiplies fast: losses of one process and of several are compared."""

from backend.jobs.child import main
from backend.ml.inference import device

if __name__ == "__main__":
    device.bf16_pays = lambda: False
    main()

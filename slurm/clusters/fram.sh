# Fram (Sigma2): whole nodes of 32 cores and 64 GB.
NORN_SBATCH=(--partition=normal --ntasks-per-node=1 --cpus-per-task=32)
module --quiet purge

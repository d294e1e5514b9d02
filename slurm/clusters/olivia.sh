# Olivia (Sigma2): nodes of 256 cores in the CPU part.
NORN_SBATCH=(--partition=small --cpus-per-task=32 --mem-per-cpu=2G)
module --quiet purge

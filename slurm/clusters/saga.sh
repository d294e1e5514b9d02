# Saga (Sigma2): nodes of 40 and 52 cores; memory is asked for by core.
NORN_SBATCH=(--partition=normal --cpus-per-task=20 --mem-per-cpu=4G)
module --quiet purge

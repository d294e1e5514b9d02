# LUMI-C (CSC): nodes of 128 cores; the account is project_XXXXXXXXX.
NORN_SBATCH=(--partition=small --cpus-per-task=32 --mem-per-cpu=1750M)
module --quiet purge
